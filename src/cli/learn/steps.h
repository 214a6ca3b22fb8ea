// What the verbs of `rung learn` do, as text: `watch` does the same by single keys.
#pragma once

#include <cstddef>
#include <string>
#include <string_view>

#include "cli/learn/check_learner.h"
#include "cli/learn/learner_folder.h"

namespace rung {

enum class Hands { commands, keys };  // how a person goes on from here

std::string list_text(const LearnerFolder* folder, Hands hands = Hands::commands);  // null: there is none yet
std::string next_text(const LearnerFolder& folder, const ExerciseText& exercise);

// `unsaved`, here and below: a line that says why it is not remembered; empty: it is. The texts end with it.
struct Hint {
  std::size_t number = 0, of = 0;  // 1 to of
  std::string_view text;
  std::string unsaved;
};
// The next one, or the last where all were opened; remembered.
Hint next_hint(LearnerFolder& folder, const ExerciseText& exercise);
std::string hint_text(LearnerFolder& folder, const ExerciseText& exercise, Hands hands = Hands::commands);
// The solution, for whoever asks twice; remembered.
std::string solution_text(LearnerFolder& folder, const ExerciseText& exercise, Hands hands = Hands::commands);

// Checks, and remembers what came out.
struct Checked {
  OrderedJson report;
  bool is_first = false;  // nothing was ever right or wrong in this folder
  std::string unsaved = {};
};
Checked checked(LearnerFolder& folder, const ExerciseText& exercise, const CompileOptions& options);
std::string checked_text(const Checked& result, const LearnerFolder& folder, const ExerciseText& exercise,
                         Hands hands = Hands::commands);

}  // namespace rung
