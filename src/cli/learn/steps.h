// What the verbs of `rung learn` do, as text: `watch` does the same by single keys.
#pragma once

#include <string>

#include "cli/learn/check_learner.h"
#include "cli/learn/learner_folder.h"

namespace rung {

std::string list_text(const LearnerFolder* folder);  // null: there is none yet
std::string next_text(const LearnerFolder& folder, const ExerciseText& exercise);

// The next hint, or all where all were opened; remembered.
std::string hint_text(LearnerFolder& folder, const ExerciseText& exercise);
// The solution, for whoever asks twice; remembered.
std::string solution_text(LearnerFolder& folder, const ExerciseText& exercise);

// Checks, and remembers what came out.
OrderedJson checked(LearnerFolder& folder, const ExerciseText& exercise, const CompileOptions& options, bool& is_first);
std::string checked_text(LearnerFolder& folder, const ExerciseText& exercise, const CompileOptions& options);

}  // namespace rung
