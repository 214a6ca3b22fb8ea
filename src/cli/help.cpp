#include "cli/help.h"

#include <fmt/format.h>

#include <algorithm>
#include <string_view>

#include "cli/terminal.h"

namespace rung {

namespace {

constexpr std::size_t kIndent = 27;  // where descriptions begin

// "  name      what it is, wrapped\n            to the terminal's width\n"
std::string entry(std::string_view name, std::string_view description) {
  const std::size_t width = std::clamp<std::size_t>(terminal_columns(), 60, 100);
  std::string out = fmt::format("  {}", name);
  out += out.size() + 2 > kIndent ? "\n" + std::string(kIndent, ' ') : std::string(kIndent - out.size(), ' ');
  for (std::size_t column = kIndent; !description.empty();) {
    const std::string_view word = description.substr(0, description.find(' '));
    description.remove_prefix(std::min(description.size(), word.size() + 1));
    if (column > kIndent && column + 1 + word.size() > width) {
      out += "\n" + std::string(kIndent, ' ');
      column = kIndent;
    }
    if (column > kIndent) out += ' ', ++column;
    out += word;
    column += word.size();
  }
  return out + "\n";
}

// "-m, --model MODEL": CLI11 would add the names of checks and defaults.
std::string name_of(const CLI::Option& option) {
  const std::string all_types = option.get_type_size() == 0 ? "" : option.get_type_name();
  const std::string type = all_types.substr(0, all_types.find(':'));
  if (option.get_positional()) return type;
  std::string names;
  for (const std::string& s : option.get_snames()) names += fmt::format("{}-{}", names.empty() ? "" : ", ", s);
  for (const std::string& l : option.get_lnames()) names += fmt::format("{}--{}", names.empty() ? "" : ", ", l);
  return type.empty() ? names : names + " " + type;
}

std::string describe(const CLI::Option& option) {
  const std::string value = option.get_default_str();
  return value.empty() ? option.get_description() : fmt::format("{} (default: {})", option.get_description(), value);
}

}  // namespace

std::string overview(const std::vector<std::unique_ptr<Command>>& commands) {
  std::string out =
      "Rung runs language models on your machine, and shows how they work.\n\nUsage: rung VERB [options] [TEXT]\n\n";
  for (const auto& c : commands) out += fmt::format("  {:<10} {}\n", c->name(), c->summary());
  out += "\n`rung \"some text\"` is short for `rung generate \"some text\"`. Each verb has its own --help.\n";
  return out + "`rung --version` says which Rung this is.\n\nExample:\n  rung \"Once upon a time\"\n";
}

std::string help(const Command& command, const CLI::App& app) {
  std::string usage = fmt::format("rung {} [options]", command.name());
  const auto positionals = app.get_options([](const CLI::Option* option) { return option->get_positional(); });
  for (const CLI::Option* option : positionals) {
    usage += fmt::format(" [{}]{}", name_of(*option), option->get_expected_max() > 1 ? "..." : "");
  }
  std::string out = fmt::format("rung {}: {}\n\nUsage: {}\n\n", command.name(), command.summary(), usage);
  for (const CLI::Option* option : positionals) out += entry(name_of(*option), describe(*option));
  for (const std::string& group : app.get_groups()) {
    const auto options = app.get_options(
        [&](const CLI::Option* option) { return option->nonpositional() && option->get_group() == group; });
    if (options.empty()) continue;
    if (group != "Options") out += fmt::format("\n{}:\n", group);
    for (const CLI::Option* option : options) out += entry(name_of(*option), describe(*option));
  }
  return out + fmt::format("\n{}Example:\n  {}\n", command.details(), command.example());
}

}  // namespace rung
