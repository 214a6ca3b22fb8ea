#include "cli/learn/steps.h"

#include <fmt/format.h>

#include <algorithm>

#include "cli/learn/report_text.h"
#include "cli/terminal.h"

namespace rung {

namespace {

// "✓" solved, "·" not yet, "s" solved after a look at the solution.
std::string mark_of(const LearnerFolder* folder, const ExerciseText& exercise) {
  if (folder == nullptr || !folder->is_done(exercise)) return "·";
  const ExerciseProgress& progress = folder->progress(exercise);
  if (!progress.passed) return "–";  // known, by the milestone's test
  return fmt::format("{}{}{}", style().green, progress.opened_solution ? "s" : "✓", style().reset);
}

bool is_peeked(const LearnerFolder& folder, const ExerciseText& exercise) {
  const ExerciseProgress& progress = folder.progress(exercise);
  return progress.passed && progress.opened_solution;
}

}  // namespace

std::string list_text(const LearnerFolder* folder) {
  std::string text, milestone;
  std::size_t done = 0;
  const auto& all = exercise_texts();
  for (const ExerciseText& exercise : all) {
    if (exercise.milestone != milestone) {
      milestone = exercise.milestone;
      text += fmt::format("{}{}{}\n", style().bold, milestone, style().reset);
    }
    if (folder != nullptr && folder->is_done(exercise)) ++done;
    text += fmt::format("  {} {:<24} {}{}\n", mark_of(folder, exercise), exercise.name, exercise.title,
                        exercise.test_out ? " (solved, it shows that you know this milestone)" : "");
  }
  text += fmt::format("{} of {} done", done, all.size());
  if (folder == nullptr) return text + "; to begin: rung learn start FOLDER\n";
  const ExerciseText* const next = folder->next();
  text += next == nullptr ? "\n" : fmt::format("; next: {} (rung learn next)\n", next->name);
  const auto peeked =
      std::find_if(all.begin(), all.end(), [&](const ExerciseText& e) { return is_peeked(*folder, e); });
  if (peeked != all.end()) {
    text += fmt::format(
        "s: you have seen the solution. Could you write {} without it now? Delete {} and run: rung learn start {}\n",
        peeked->name, peeked->file(), folder->path().string());
  }
  return text;
}

std::string next_text(const LearnerFolder& folder, const ExerciseText& exercise) {
  return fmt::format("{}{}{}  {}, about {} minutes\n\n{}\n{}write    {}\ncheck    rung learn check{}\n", style().bold,
                     exercise.name, style().reset, exercise.title, exercise.minutes, exercise.text, style().dim,
                     folder.file_of(exercise).string(), style().reset);
}

std::string hint_text(LearnerFolder& folder, const ExerciseText& exercise) {
  ExerciseProgress& progress = folder.progress(exercise);
  progress.hints = std::min(progress.hints + 1, exercise.hints.size());
  folder.save();
  const std::size_t left = exercise.hints.size() - progress.hints;
  return fmt::format("hint {} of {} for {}\n\n{}\n\n{}\n", progress.hints, exercise.hints.size(), exercise.name,
                     exercise.hints[progress.hints - 1],
                     left == 0 ? "That was the last. The solution: rung learn solution" : "More: rung learn hint");
}

std::string solution_text(LearnerFolder& folder, const ExerciseText& exercise) {
  ExerciseProgress& progress = folder.progress(exercise);
  const bool asked_before = progress.asked_for_solution;
  progress.asked_for_solution = true;
  progress.opened_solution = asked_before;
  folder.save();
  if (asked_before) return fmt::format("{}", exercise.solution);
  const std::size_t left = exercise.hints.size() - progress.hints;
  return fmt::format("The solution of {} is shown to whoever asks twice.{}\n", exercise.name,
                     left == 0 ? "" : fmt::format(" There are {} hints left: rung learn hint", left));
}

OrderedJson checked(LearnerFolder& folder, const ExerciseText& exercise, const CompileOptions& options,
                    bool& is_first) {
  const auto& all = exercise_texts();
  is_first = std::none_of(all.begin(), all.end(),
                          [&](const ExerciseText& e) { return std::as_const(folder).progress(e).checks > 0; });
  OrderedJson report = check_learner(folder, exercise, options);
  ExerciseProgress& progress = folder.progress(exercise);
  ++progress.checks;
  progress.passed = report.at("passed").get<bool>();
  folder.save();
  return report;
}

std::string checked_text(LearnerFolder& folder, const ExerciseText& exercise, const CompileOptions& options) {
  bool is_first = false;
  const OrderedJson report = checked(folder, exercise, options, is_first);
  return report_text(report, exercise, is_first);
}

}  // namespace rung
