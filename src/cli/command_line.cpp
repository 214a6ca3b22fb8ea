// argv → the verb that is meant → its options → its exit status.
#include <fmt/format.h>

#include <algorithm>
#include <csignal>
#include <cstdio>
#include <string_view>

#include "base/error.h"
#include "cli/child.h"
#include "cli/command.h"
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

// `rung "some text"` is `rung generate "some text"`. A lone word that is nearly a verb is more likely a slip.
std::vector<std::string> with_verb(std::vector<std::string> arguments, const std::vector<std::unique_ptr<Command>>& commands) {
  if (arguments.empty()) {
    if (stdin_is_terminal()) return {"--help"};
    return {"generate"};
  }
  const std::string& first = arguments.front();
  if (first == "--help" || first == "-h" || first == "--version") return arguments;
  for (const auto& c : commands) {
    if (first == c->name()) return arguments;
  }
  if (arguments.size() == 1 && first.find_first_of(" \t\n") == std::string::npos) {
    for (const auto& c : commands) {
      if (edits(first, c->name()) <= 2) {
        throw UsageError(fmt::format("no verb is called '{}': did you mean 'rung {}'? (for that very text: rung generate -- {})", first, c->name(), first));
      }
    }
  }
  arguments.insert(arguments.begin(), "generate");
  return arguments;
}

// The lowest level of CLI11's help, with the words of this house.
void describe(CLI::App& app, const std::vector<std::unique_ptr<Command>>& commands) {
  app.description("Rung runs language models on your machine, and shows how they work.");
  app.set_version_flag("--version", std::string("rung ") + RUNG_VERSION);
  app.require_subcommand(1);
  app.get_formatter()->column_width(34);
  app.get_formatter()->label("SUBCOMMAND", "VERB");
  app.get_formatter()->label("Subcommands", "Verbs");
  app.footer("`rung \"some text\"` is short for `rung generate \"some text\"`. Each verb has its own --help.\n\nExample:\n  rung \"Once upon a time\"");
  for (const auto& c : commands) {
    CLI::App* verb = app.add_subcommand(c->name(), c->summary());
    verb->get_formatter()->column_width(34);
    verb->footer(fmt::format("\nExample:\n  {}", c->example()));
    c->add_options(*verb);
  }
}

int dispatch(const std::vector<std::string>& given) {
  const std::vector<std::unique_ptr<Command>> commands = make_commands();
  std::vector<std::string> arguments = with_verb(given, commands);
  CLI::App app("", "rung");
  describe(app, commands);
  try {
    std::reverse(arguments.begin(), arguments.end());  // CLI11 takes them from the back
    app.parse(arguments);
  } catch (const CLI::Success& e) {  // --help, --version
    std::ostringstream out;
    app.exit(e, out, out);
    write_out(out.str());
    return kOk;
  } catch (const CLI::ParseError& e) {
    throw UsageError(e.what());
  }
  for (const auto& c : commands) {
    if (app.got_subcommand(c->name())) return c->run();
  }
  return kUsage;
}

void complain(std::string_view what) { fmt::print(stderr, "rung: {}\n", what); }

}  // namespace

std::vector<std::unique_ptr<Command>> make_commands() {
  std::vector<std::unique_ptr<Command>> commands;
  commands.push_back(make_generate());
  commands.push_back(make_pull());
  commands.push_back(make_logits());
  commands.push_back(make_inspect());
  return commands;
}

int run_command_line(int argc, char** argv) {
  std::signal(SIGPIPE, SIG_IGN);  // a closed pipe is noticed where it is written to
  try {
    return dispatch({argv + 1, argv + argc});
  } catch (const UsageError& e) {
    complain(fmt::format("{} (see rung --help)", e.what()));
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
