#include "cli/learn/report_text.h"

#include <fmt/format.h>

#include <map>
#include <string_view>

#include "cli/learn/check_learner.h"
#include "cli/terminal.h"

namespace rung {

namespace {

constexpr std::size_t kMostPrintedLines = 20, kMostCompilerLines = 30;

// Text of a stranger's code, line by line, control characters as their escapes.
std::string indented(std::string_view text, std::string_view label, std::string_view colour = "") {
  constexpr std::size_t kLabel = 10;
  std::string all;
  bool first = true;
  while (!text.empty()) {
    const std::size_t end = std::min(text.find('\n'), text.size());
    all += fmt::format("    {}{:<{}}{}{}{}{}\n", style().dim, first ? label : "", kLabel, style().reset, colour,
                       visible(text.substr(0, end)), style().reset);
    text.remove_prefix(std::min(end + 1, text.size()));
    first = false;
  }
  return all;
}

std::string_view first_lines(std::string_view text, std::size_t most) {
  std::size_t end = 0;
  for (std::size_t i = 0; i < most; ++i) {
    const std::size_t at = text.find('\n', end);
    if (at == text.npos) return text;
    end = at + 1;
  }
  return text.substr(0, end);
}

std::string words_in(const OrderedJson& check, const char* key) {
  return check.contains(key) ? check.at(key).get<std::string>() : "";
}

std::string words_of_check(const std::string& name) {
  static const std::map<std::string, std::string> words{{"compile", "compiles"},    {"by-hand", "by hand"},
                                                        {"random", "random cases"}, {"pebble", "inside pebble"},
                                                        {"story", "the story"},     {"speed", "speed"}};
  const auto found = words.find(name);
  return found == words.end() ? name : found->second;
}

std::string place_text(const OrderedJson& check) {
  const std::string place = words_in(check, "place");
  return place.empty() ? "" : indented(fmt::format("{}: {}", place, words_in(check, "line")), "where");
}

std::string failure_text(const OrderedJson& check) {
  std::string text = indented(words_in(check, "input"), "input");
  text += indented(words_in(check, "arithmetic"), "by hand");
  text += indented(words_in(check, "expected"), "expected", style().green);
  text += indented(first_lines(words_in(check, "got"), kMostCompilerLines), "got", style().red);
  text += place_text(check);
  const std::size_t most = 2;  // a third guess helps nobody
  for (std::size_t i = 0; check.contains("causes") && i < std::min(most, check.at("causes").size()); ++i) {
    const OrderedJson& cause = check.at("causes").at(i);
    const std::string page = cause.at("page").get<std::string>();
    text += indented(cause.at("sentence").get<std::string>() + (page.empty() ? "" : fmt::format(" ({})", page)),
                     i == 0 ? "likely" : "or", i == 0 ? style().bold : "");
  }
  if (check.contains("then")) {
    text += indented("run again, to find out why: " + words_in(check.at("then"), "got"), "then", style().red);
    text += place_text(check.at("then"));
  }
  return text;
}

std::string check_text(const OrderedJson& check, const ExerciseText& exercise) {
  const std::string state = check.at("state").get<std::string>(), name = check.at("check").get<std::string>();
  const std::string title = words_in(check, "title");
  if (state == "skipped") return "";
  if (state == "not-yet") {
    return fmt::format("  {}○{} {}: not_yet: {} waits to be written\n", style().yellow, style().reset,
                       words_of_check(name), exercise.file());
  }
  const bool passed = state == "passed";
  const std::string words = name == "pebble" && !passed ? "" : words_of_check(name);  // its title says where
  std::string text = fmt::format("  {}{}{} {}{}{}\n", passed ? style().green : style().red, passed ? "✓" : "✗",
                                 style().reset, words, words.empty() || title.empty() ? "" : ": ", visible(title));
  text += indented(words_in(check, "warnings"), "warning", style().yellow);
  if (!passed && name != "story") text += failure_text(check);
  if (name == "story") {
    text += indented(words_in(check, "story"), passed ? "" : "yours", passed ? style().cyan : style().red);
    if (!passed) text += indented(words_in(check, "referenceStory"), "Rung's", style().cyan);
  }
  return text;
}

}  // namespace

std::string report_text(const OrderedJson& report, const ExerciseText& exercise) {
  std::string text = fmt::format("{}{}{}  {}\n", style().bold, exercise.name, style().reset, exercise.title);
  for (const OrderedJson& check : report.at("checks")) text += check_text(check, exercise);
  const std::string printed = words_in(report, "printed");
  if (!printed.empty()) {
    const std::string_view shown = first_lines(printed, kMostPrintedLines);
    text += indented(shown, "print");
    if (shown.size() < printed.size()) text += indented("(there is more)", "");
  }
  return text;
}

std::string solved_text(std::string_view next) {
  return fmt::format("  {}Solved.{} The next: {}\n", style().green, style().reset, next);
}

std::string beginning_text(const OrderedJson& report, std::string_view hint) {
  const OrderedJson* const failure = failure_of(report);
  if (failure == nullptr || failure->at("check") == "compile") return "";
  return fmt::format("  Red is how every exercise begins. Write a line, check again; {} helps.\n", hint);
}

}  // namespace rung
