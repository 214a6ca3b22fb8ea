#include "cli/learn/steps.h"

#include <fmt/format.h>

#include <algorithm>

#include "base/error.h"
#include "cli/learn/compile_kernel.h"
#include "cli/learn/report_text.h"
#include "cli/terminal.h"

namespace rung {

namespace {

constexpr const char* kMarks =
    "✓ solved, s solved after a look at the solution, – skipped by the milestone's test-out, · still to do\n";

std::string mark_of(const LearnerFolder* folder, const ExerciseText& exercise) {
  if (folder == nullptr || !folder->is_done(exercise)) return "·";
  const ExerciseProgress& progress = folder->progress(exercise);
  if (!folder->is_solved(exercise)) return "–";  // known, by the milestone's test
  return fmt::format("{}{}{}", style().green, progress.opened_solution ? "s" : "✓", style().reset);
}

bool is_peeked(const LearnerFolder& folder, const ExerciseText& exercise) {
  const ExerciseProgress& progress = folder.progress(exercise);
  return folder.is_solved(exercise) && progress.opened_solution;
}

// A folder that cannot be written to takes nothing of the answer away. A line that says so; empty: it is remembered.
std::string remember(const LearnerFolder& folder) {
  try {
    folder.save();
    return "";
  } catch (const Error& e) {
    return fmt::format("rung: this is not remembered: {}\n", e.what());
  }
}

// "rung learn hint", of another exercise than the next "rung learn hint rms-norm"; or the key.
std::string way_to(const std::string& verb, const LearnerFolder& folder, const ExerciseText& exercise, Hands hands) {
  if (hands == Hands::keys) return verb.substr(0, 1);
  return fmt::format("rung learn {}{}", verb, folder.next() == &exercise ? "" : " " + exercise.name);
}

}  // namespace

std::string list_text(const LearnerFolder* folder, Hands hands) {
  const auto test_out_words = [](const LearnerFolder* here, const ExerciseText& exercise) {
    if (here != nullptr && here->is_solved(exercise)) return std::string(" (test-out)");
    return fmt::format(" (test-out: solve it, and you may skip the rest of {})", exercise.milestone);
  };
  std::string text, milestone;
  std::size_t done = 0, here = 0;
  const auto& all = exercise_texts();
  for (const ExerciseText& exercise : all) {
    const std::string missing = missing_for(exercise);
    here += missing.empty() ? 1 : 0;
    if (exercise.milestone != milestone) {
      milestone = exercise.milestone;
      text += fmt::format("{}{}{}\n", style().bold, milestone, style().reset);
    }
    if (folder != nullptr && missing.empty() && folder->is_done(exercise)) ++done;
    const std::string words = !missing.empty()    ? fmt::format(" (left out: {})", missing)
                              : exercise.test_out ? test_out_words(folder, exercise)
                                                  : "";
    text += fmt::format("  {} {:<24} {}{}\n", mark_of(folder, exercise), exercise.name, exercise.title, words);
  }
  text += fmt::format("{}{}{}{} of {} done", style().dim, kMarks, style().reset, done, here);
  if (folder == nullptr) return text + "; to begin: rung learn start FOLDER\n";
  const ExerciseText* const next = folder->next();
  text += next == nullptr ? "\n" : fmt::format("; next: {} ({})\n", next->name, way_to("next", *folder, *next, hands));
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
  return fmt::format("{}{}{}  {}, about {} minutes\n\n{}\n{}write    {}\ncheck    {}{}\n", style().bold, exercise.name,
                     style().reset, exercise.title, exercise.minutes, exercise.text, style().dim,
                     folder.file_of(exercise).string(), way_to("check", folder, exercise, Hands::commands),
                     style().reset);
}

Hint next_hint(LearnerFolder& folder, const ExerciseText& exercise) {
  ExerciseProgress& progress = folder.progress(exercise);
  progress.hints = std::min(progress.hints + 1, exercise.hints.size());
  return {progress.hints, exercise.hints.size(), exercise.hints[progress.hints - 1], remember(folder)};
}

std::string hint_text(LearnerFolder& folder, const ExerciseText& exercise, Hands hands) {
  const Hint hint = next_hint(folder, exercise);
  const bool is_last = hint.number == hint.of;
  return fmt::format("hint {} of {} for {}\n\n{}\n\n{}{}\n{}", hint.number, hint.of, exercise.name, hint.text,
                     is_last ? "That was the last. The solution: " : "More: ",
                     way_to(is_last ? "solution" : "hint", folder, exercise, hands), hint.unsaved);
}

std::string solution_text(LearnerFolder& folder, const ExerciseText& exercise, Hands hands) {
  ExerciseProgress& progress = folder.progress(exercise);
  const bool asked_before = progress.asked_for_solution;
  progress.asked_for_solution = true;
  // who has solved it compares; that is no look ahead
  if (asked_before && !folder.is_solved(exercise)) progress.opened_solution = true;
  const std::string unsaved = remember(folder);
  if (asked_before) return std::string(exercise.solution) + unsaved;
  const std::size_t left = exercise.hints.size() - progress.hints;
  const std::string hints =
      left == 0 ? "" : fmt::format(" Hints left: {} ({})", left, way_to("hint", folder, exercise, hands));
  return fmt::format("The solution of {} is shown to whoever asks twice.{}\n{}", exercise.name, hints, unsaved);
}

Checked checked(LearnerFolder& folder, const ExerciseText& exercise, const CompileOptions& options) {
  const auto& all = exercise_texts();
  const bool is_first = std::none_of(
      all.begin(), all.end(), [&](const ExerciseText& e) { return std::as_const(folder).progress(e).checks > 0; });
  Checked result{.report = check_learner(folder, exercise, options), .is_first = is_first};
  const OrderedJson* const failure = failure_of(result.report);
  ExerciseProgress& progress = folder.progress(exercise);
  if (failure == nullptr || failure->at("check") != "compile") ++progress.checks;
  progress.passed = result.report.at("passed").get<bool>();
  result.unsaved = remember(folder);
  return result;
}

std::string checked_text(const Checked& result, const LearnerFolder& folder, const ExerciseText& exercise,
                         Hands hands) {
  const OrderedJson& report = result.report;
  std::string text = report_text(report, exercise);
  if (report.at("passed").get<bool>()) {
    text += solved_text(hands == Hands::keys ? "n" : "rung learn next");
  } else if (result.is_first) {
    text += beginning_text(report, way_to("hint", folder, exercise, hands));
  }
  return text + result.unsaved;
}

}  // namespace rung
