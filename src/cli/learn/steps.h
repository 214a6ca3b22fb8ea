// What the verbs of `rung learn` do, as text: `watch` does the same by single keys.
#pragma once

#include <string>

#include "cli/learn/check_learner.h"
#include "cli/learn/learner_folder.h"

namespace rung {

std::string list_text(const LearnerFolder* folder);  // null: there is none yet
std::string next_text(const LearnerFolder& folder, const ExerciseText& exercise);

// Where what is to be remembered cannot be written, the texts end with a line that says so.
enum class Hands { commands, keys };  // how a person goes on from here

// The next hint, or the last where all were opened; remembered.
std::string hint_text(LearnerFolder& folder, const ExerciseText& exercise, Hands hands = Hands::commands);
OrderedJson hint_json(LearnerFolder& folder, const ExerciseText& exercise);
// The solution, for whoever asks twice; remembered.
std::string solution_text(LearnerFolder& folder, const ExerciseText& exercise, Hands hands = Hands::commands);

// Checks, and remembers what came out.
struct Checked {
  OrderedJson report;
  bool is_first = false;     // nothing was ever right or wrong in this folder
  std::string unsaved = {};  // a line that says why it is not remembered; empty: it is
};
Checked checked(LearnerFolder& folder, const ExerciseText& exercise, const CompileOptions& options);
std::string checked_text(LearnerFolder& folder, const ExerciseText& exercise, const CompileOptions& options);

}  // namespace rung
