// argv → the verb that is meant → its options → its exit status.
#include <fmt/format.h>

#include <algorithm>
#include <csignal>
#include <string_view>
#include <utility>

#include "base/error.h"
#include "base/signals.h"
#include "cli/command.h"
#include "cli/completions.h"
#include "cli/help.h"
#include "cli/learn/in_child.h"
#include "cli/learn/learn.h"
#include "cli/quantize.h"
#include "cli/terminal.h"

namespace rung {

namespace {

enum ExitStatus : int { kOk = 0, kFailed = 1, kUsage = 2 };

// How many letters must be added, dropped or exchanged to make b of a.  (Levenshtein 1966)
std::size_t edits(std::string_view a, std::string_view b) {
  std::vector<std::size_t> row(b.size() + 1);
  for (std::size_t j = 0; j <= b.size(); ++j) row[j] = j;
  for (std::size_t i = 1; i <= a.size(); ++i) {
    std::size_t diagonal = row[0]++;
    for (std::size_t j = 1; j <= b.size(); ++j) {
      const std::size_t exchanged = diagonal + (a[i - 1] == b[j - 1] ? 0 : 1);
      diagonal = row[j];
      row[j] = std::min({exchanged, row[j] + 1, row[j - 1] + 1});
    }
  }
  return row.back();
}

// A first word that is nearly a verb is more likely a slip than a text, alone or with others behind it.
void refuse_misspelt_verb(const std::string& word, const std::vector<std::unique_ptr<Command>>& commands) {
  if (word.empty() || word.front() == '-' || word.find_first_of(" \t\n") != std::string::npos) return;
  if (word == "help") throw UsageError("no verb is called 'help': did you mean 'rung --help'?");
  for (const auto& c : commands) {
    if (edits(word, c->name()) > 2) continue;
    throw UsageError(
        fmt::format("no verb is called '{}': did you mean 'rung {}'? (for that very text: rung generate -- {})", word,
                    c->name(), word));
  }
}

// Takes the verb's options from `arguments` and runs it.
int run_verb(Command& command, std::vector<std::string> arguments) {
  Options options;
  command.add_options(options);
  if (parse_arguments(options, std::move(arguments), command.name()) == Parsed::help) {
    write_out(help(command, options));
    return kOk;
  }
  try {
    return command.run();
  } catch (const UsageError& e) {
    throw UsageError(fmt::format("{} (see rung {} --help)", e.what(), command.name()));
  }
}

int dispatch(std::vector<std::string> arguments) {
  const std::vector<std::unique_ptr<Command>> commands = make_commands();
  const std::string first = arguments.empty() ? "" : arguments.front();
  if (first == "--help" || first == "-h" || (arguments.empty() && stdin_is_terminal())) {
    write_out(overview(commands));
    return kOk;
  }
  if (first == "--version") {
    write_out("rung " RUNG_VERSION "\n");
    return kOk;
  }
  if (first == "--completions") {
    write_out(completions(arguments.size() == 2 ? arguments[1] : "", commands));
    return kOk;
  }
  if (first == kChildVerb) return run_in_child({arguments.begin() + 1, arguments.end()});
  for (const auto& c : commands) {
    if (first == c->name()) return run_verb(*c, {arguments.begin() + 1, arguments.end()});
  }
  refuse_misspelt_verb(first, commands);
  return run_verb(*make_generate(), std::move(arguments));
}

void complain(std::string_view what) {
  write_error("rung: ");
  write_error(what);
  write_error("\n");
}

}  // namespace

std::vector<std::unique_ptr<Command>> make_commands() {
  std::vector<std::unique_ptr<Command>> commands;
  commands.push_back(make_generate());
  commands.push_back(make_chat());
  commands.push_back(make_pull());
  commands.push_back(make_tokenize());
  commands.push_back(make_inspect());
  commands.push_back(make_logits());
  commands.push_back(make_trace());
  commands.push_back(make_quantize());
  commands.push_back(make_eval());
  commands.push_back(make_compare());
  commands.push_back(make_bench());
  commands.push_back(make_metal_check());
  commands.push_back(make_learn());
  return commands;
}

int run_command_line(int argc, char** argv) {
  open_standard_descriptors();
  std::signal(SIGPIPE, SIG_IGN);  // a closed pipe is noticed where it is written to
  // so is a file that grows beyond the shell's limit: what was begun is taken away again
  std::signal(SIGXFSZ, SIG_IGN);
  try {
    return dispatch({argv + 1, argv + argc});
  } catch (const UsageError& e) {
    complain(e.what());
    return kUsage;
  } catch (const Interrupted& e) {
    return 128 + e.signal();
  } catch (const OutputClosed&) {
    return kOk;
  } catch (const std::bad_alloc&) {
    complain("out of memory");
  } catch (const std::exception& e) {
    complain(e.what());
  }
  return kFailed;
}

}  // namespace rung
