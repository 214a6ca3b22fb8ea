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

// "-m, --model MODEL"
std::string name_of(const Option& option) {
  if (option.stands_alone()) return option.type_name();
  std::string names;
  for (const std::string& name : option.names()) names += (names.empty() ? "" : ", ") + name;
  return option.type_name().empty() ? names : names + " " + option.type_name();
}

std::string describe(const Option& option) {
  if (option.default_text().empty()) return option.help();
  return fmt::format("{} (default: {})", option.help(), option.default_text());
}

}  // namespace

std::string overview(const std::vector<std::unique_ptr<Command>>& commands) {
  std::string out =
      "Rung runs language models on your machine, and shows how they work.\n\nUsage: rung VERB [options] [TEXT]\n\n";
  for (const auto& c : commands) out += fmt::format("  {:<11} {}\n", c->name(), c->summary());
  out += "\n`rung \"some text\"` is short for `rung generate \"some text\"`. Each verb has its own --help.\n";
  return out + "`rung --version` says which Rung this is.\n\nExample:\n  rung \"Once upon a time\"\n";
}

std::string help(const Command& command, const Options& options) {
  std::string usage = fmt::format("rung {} [options]", command.name()), entries;
  std::vector<std::string> groups{""};  // headlines, in the order in which they come up; first what has none
  for (const Option& option : options.all()) {
    if (std::find(groups.begin(), groups.end(), option.group()) == groups.end()) groups.push_back(option.group());
    if (!option.stands_alone()) continue;
    usage += fmt::format(" [{}]{}", name_of(option), option.repeats() ? "..." : "");
    entries += entry(name_of(option), describe(option));
  }
  for (const std::string& group : groups) {
    entries += group.empty() ? entry("-h, --help", "this text") : fmt::format("\n{}:\n", group);
    for (const Option& option : options.all()) {
      if (!option.stands_alone() && option.group() == group) entries += entry(name_of(option), describe(option));
    }
  }
  return fmt::format("rung {}: {}\n\nUsage: {}\n\n{}\n{}Example:\n  {}\n", command.name(), command.summary(), usage,
                     entries, command.details(), command.example());
}

}  // namespace rung
