// A learner's file → a shared object with rung_exercise in it, by the compiler that is there.
#pragma once

#include <filesystem>
#include <string>

#include "cli/learn/exercise_texts.h"
#include "cli/learn/learner_folder.h"
#include "cli/learn/work_folder.h"

namespace rung {

struct CompileOptions {
  std::string compiler;   // empty: the first that is found
  bool sanitize = false;  // address and undefined
};

struct Compiled {
  bool ok = false;
  std::filesystem::path library;
  std::string said;                  // the compiler's own words, which name the file as the learner does
  std::filesystem::path sanitizers;  // what has to be loaded before everything else; empty: nothing
};

// Throws Error: no compiler; there is no such file in the folder.
Compiled compile_exercise(const LearnerFolder& folder, const ExerciseText& exercise, const WorkFolder& work,
                          const CompileOptions& options);

}  // namespace rung
