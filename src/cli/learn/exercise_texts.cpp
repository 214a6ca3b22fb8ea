#include "cli/learn/exercise_texts.h"

#include <fmt/format.h>
#include <fmt/ranges.h>

#include <algorithm>

#include "base/ensure.h"
#include "base/json.h"
#include "cli/arguments.h"
#include "cli/learn/exercise_files.h"
#include "cli/terminal.h"
#include "files/hub/name.h"

namespace rung {

namespace {

// "## 1", text, "## 2", text, "## 3", text.
std::array<std::string, 3> hints_of(std::string_view text) {
  std::array<std::string, 3> hints;
  for (std::size_t i = 0; i < hints.size(); ++i) {
    const std::string headline = fmt::format("## {}\n", i + 1), next = fmt::format("## {}\n", i + 2);
    const std::size_t begin = text.find(headline);
    ensure(begin != text.npos, "hints.md lacks one of its three headlines");
    std::string_view hint = text.substr(begin + headline.size(), text.find(next) - begin - headline.size());
    while (!hint.empty() && hint.front() == '\n') hint.remove_prefix(1);
    while (!hint.empty() && hint.back() == '\n') hint.remove_suffix(1);
    hints[i] = hint;
  }
  return hints;
}

ExerciseText read_exercise(const learn::Exercise& checks) {
  const std::string folder = std::string(checks.name) + "/";
  const char* const ending = checks.is_kernel ? ".metal" : ".cpp";
  const Json facts = parse_json(course_file(folder + "exercise.json"), folder + "exercise.json");
  return {.name = std::string(checks.name),
          .title = facts.at("title").get<std::string>(),
          .milestone = facts.at("milestone").get<std::string>(),
          .function = facts.at("function").get<std::string>(),
          .signature = facts.at("signature").get<std::string>(),
          .page = facts.at("page").get<std::string>(),
          .order = facts.at("order").get<int>(),
          .minutes = facts.at("minutes").get<int>(),
          .test_out = facts.at("test_out").get<bool>(),
          .text = course_file(folder + "text.md"),
          .stub = course_file(folder + "stub" + ending),
          .solution = course_file(folder + "solution" + ending),
          .hints = hints_of(course_file(folder + "hints.md")),
          .checks = &checks};
}

}  // namespace

const std::vector<ExerciseText>& exercise_texts() {
  static const std::vector<ExerciseText> all = [] {
    std::vector<ExerciseText> read;
    for (const learn::Exercise& exercise : learn::exercises()) read.push_back(read_exercise(exercise));
    std::stable_sort(read.begin(), read.end(), [](const ExerciseText& a, const ExerciseText& b) {
      return std::pair(a.milestone, a.order) < std::pair(b.milestone, b.order);
    });
    return read;
  }();
  return all;
}

const ExerciseText* find_exercise_text(std::string_view name) {
  const auto& all = exercise_texts();
  const auto found = std::find_if(all.begin(), all.end(), [&](const ExerciseText& e) { return e.name == name; });
  return found == all.end() ? nullptr : &*found;
}

const ExerciseText& exercise_named(std::string_view given, std::string_view milestone) {
  std::string name = lower_case(given);
  for (const std::string_view ending : {".cpp", ".metal"}) {
    if (!name.ends_with(ending)) continue;  // as a shell completes it
    name.resize(name.size() - ending.size());
    name.erase(0, name.rfind('/') + 1);
  }
  if (const ExerciseText* const exact = find_exercise_text(name)) return *exact;
  std::vector<const ExerciseText*> alike;
  for (const ExerciseText& exercise : exercise_texts()) {
    if (lower_case(exercise.title) == name) return exercise;
    if (!name.empty() && exercise.name.find(name) != exercise.name.npos) alike.push_back(&exercise);
  }
  const auto of_milestone = [&](const ExerciseText* exercise) { return exercise->milestone == milestone; };
  if (std::count_if(alike.begin(), alike.end(), of_milestone) == 1) {
    return **std::find_if(alike.begin(), alike.end(), of_milestone);
  }
  if (alike.size() == 1) return *alike.front();
  if (alike.empty()) throw UsageError(fmt::format("no exercise is called '{}': rung learn lists them", visible(given)));
  std::vector<std::string> names;
  for (const ExerciseText* const exercise : alike) names.push_back(exercise->name);
  throw UsageError(fmt::format("'{}' may be {}", visible(given), fmt::join(names, " or ")));
}

std::string_view course_file(std::string_view path) {
  for (const ExerciseFile& file : exercise_files()) {
    if (file.path == path) return file.text;
  }
  found_bug("a file of an exercise is missing");
}

}  // namespace rung
