#include "cli/completions.h"

#include <fmt/format.h>

#include <string>
#include <utility>

#include "cli/terminal.h"

namespace rung {

namespace {

constexpr const char* kUsualVerb = "generate";  // of a text alone

struct Verb {
  std::string name, summary;
  Options options;
};

std::vector<Verb> describe(const std::vector<std::unique_ptr<Command>>& commands) {
  std::vector<Verb> verbs;
  for (const auto& command : commands) {
    Verb& verb = verbs.emplace_back(Verb{command->name(), command->summary(), {}});
    command->add_options(verb.options);
  }
  return verbs;
}

// A file's name is what a shell knows how to go on with; of a number or a text it knows nothing.
bool is_file(const Option& option) {
  const std::string& type = option.type_name();
  return type == "MODEL" || type == "IN" || type == "IDS" || type.find("FILE") != type.npos ||
         type.find('.') != type.npos;
}

std::string replaced(std::string text, std::string_view what, std::string_view by) {
  for (std::size_t at = 0; (at = text.find(what, at)) != text.npos; at += by.size()) text.replace(at, what.size(), by);
  return text;
}

// In single quotes, for bash and zsh.
std::string quoted(std::string text) { return "'" + replaced(std::move(text), "'", R"('\'')") + "'"; }

std::string in_fish(std::string text) {
  return "'" + replaced(replaced(std::move(text), R"(\)", R"(\\)"), "'", R"(\')") + "'";
}

std::string joined(const std::vector<std::string>& pieces, std::string_view between) {
  std::string out;
  for (const std::string& piece : pieces) out += (out.empty() ? "" : std::string(between)) + piece;
  return out;
}

// Of bash: which options there are, after which of them comes a file, after which something else.
std::string bash_lists(const Verb& verb) {
  std::vector<std::string> options{"--help"}, files, others;
  for (const Option& option : verb.options.all()) {
    if (option.stands_alone()) continue;
    options.push_back(option.names().back());
    std::vector<std::string>& kind = is_file(option) ? files : others;
    if (!option.is_flag()) kind.insert(kind.end(), option.names().begin(), option.names().end());
  }
  return fmt::format("options='{}'\n      files=' {} '\n      others=' {} '\n", joined(options, " "),
                     joined(files, " "), joined(others, " "));
}

std::string bash(const std::vector<Verb>& verbs) {
  std::vector<std::string> names;
  std::string cases, usual;
  for (const Verb& verb : verbs) {
    names.push_back(verb.name);
    if (verb.name == kUsualVerb) usual = bash_lists(verb);
    cases += fmt::format("    {})\n      {}      ;;\n", verb.name, bash_lists(verb));
  }
  constexpr const char* kScript = R"(# bash completion of rung, written by `rung --completions bash`
_rung() {
  local word=${COMP_WORDS[COMP_CWORD]} before=${COMP_WORDS[COMP_CWORD - 1]} options files others
  COMPREPLY=()
  if [ "$COMP_CWORD" = 1 ]; then
    COMPREPLY=($(compgen -W 'VERBS --help --version' -- "$word"))
    return
  fi
  case ${COMP_WORDS[1]} in
CASES    *) # a text alone
      USUAL      ;;
  esac
  if [[ $others == *" $before "* ]]; then return; fi # a number, a text
  if [[ $word == -* && $files != *" $before "* ]]; then
    COMPREPLY=($(compgen -W "$options" -- "$word"))
  else
    compopt -o filenames 2>/dev/null
    local IFS=$'\n' # names may have spaces
    COMPREPLY=($(compgen -f -- "$word"))
  fi
}
complete -F _rung rung
)";
  return replaced(replaced(replaced(kScript, "VERBS", joined(names, " ")), "CASES", cases), "USUAL", usual);
}

// Of zsh: '(-m --model)'{-m,--model}'[a .gguf file]:MODEL:_files'
std::string zsh_argument(const Option& option) {
  std::string help = option.help();
  for (const char* special : {"\\", "[", "]", ":"}) help = replaced(help, special, std::string("\\") + special);
  const std::string value =
      option.is_flag() ? "" : fmt::format(":{}:{}", option.type_name(), is_file(option) ? "_files" : " ");
  if (option.stands_alone()) return quoted((option.repeats() ? "*" : "") + value);
  const std::vector<std::string>& names = option.names();
  const std::string what = quoted(fmt::format("[{}]{}", help, value));
  if (names.size() > 1) return fmt::format("'({})'{{{}}}{}", joined(names, " "), joined(names, ","), what);
  return (option.repeats() ? "'*'" : "") + names.front() + what;
}

std::string zsh(const std::vector<Verb>& verbs) {
  std::string list, cases, usual;
  for (const Verb& verb : verbs) {
    std::string arguments = " '(- *)'{-h,--help}'[this text]'";
    for (const Option& option : verb.options.all()) arguments += " \\\n      " + zsh_argument(option);
    list += fmt::format("    {}\n", quoted(verb.name + ":" + verb.summary));
    cases += fmt::format("    {}) _arguments -s{} ;;\n", verb.name, arguments);
    if (verb.name == kUsualVerb) usual = arguments;
  }
  constexpr const char* kScript = R"(#compdef rung
# zsh completion of rung, written by `rung --completions zsh`
_rung() {
  local -a verbs=(
LIST  )
  if (( CURRENT == 2 )); then
    _describe verb verbs
    return
  fi
  shift words
  (( CURRENT-- ))
  case $words[1] in
CASES    *) _arguments -sUSUAL ;; # a text alone
  esac
}
_rung "$@"
)";
  return replaced(replaced(replaced(kScript, "LIST", list), "CASES", cases), "USUAL", usual);
}

std::string fish(const std::vector<Verb>& verbs) {
  std::string out = "# fish completion of rung, written by `rung --completions fish`\ncomplete -c rung -f\n";
  for (const Verb& verb : verbs) {
    out += fmt::format("complete -c rung -n __fish_use_subcommand -a {} -d {}\n", verb.name, in_fish(verb.summary));
  }
  for (const Verb& verb : verbs) {
    const std::string where = fmt::format("complete -c rung -n '__fish_seen_subcommand_from {}'", verb.name);
    for (const Option& option : verb.options.all()) {
      std::string line = where;
      for (const std::string& name : option.names()) {
        if (!option.stands_alone()) line += name.starts_with("--") ? " -l " + name.substr(2) : " -s " + name.substr(1);
      }
      if (!option.is_flag() && !option.stands_alone()) line += is_file(option) ? " -r" : " -x";
      if (is_file(option)) line += " -F";
      if (!option.stands_alone()) line += " -d " + in_fish(option.help());
      if (line != where) out += line + "\n";
    }
  }
  return out;
}

}  // namespace

std::string completions(std::string_view shell, const std::vector<std::unique_ptr<Command>>& commands) {
  const std::vector<Verb> verbs = describe(commands);
  if (shell == "bash") return bash(verbs);
  if (shell == "zsh") return zsh(verbs);
  if (shell == "fish") return fish(verbs);
  throw UsageError(fmt::format("--completions: found '{}', expected bash, zsh or fish", visible(shell)));
}

}  // namespace rung
