// A learner's file → a shared object with rung_exercise in it, by the compiler that is there.
#pragma once

#include <filesystem>
#include <string>

#include "cli/learn/exercise_texts.h"
#include "cli/learn/learner_folder.h"
#include "cli/learn/work_folder.h"

namespace rung {

struct CompileOptions {
  std::string compiler = {};  // empty: the first that is found
  bool sanitize = false;      // address and undefined; a kernel is watched in any case
  bool reuse = false;  // what an earlier call made of the very same code will do; its warnings are not told again
};

struct Compiled {
  bool ok = false;
  std::filesystem::path library;
  std::string said;                  // the compiler's own words, which name the file as the learner does
  std::filesystem::path sanitizers;  // what has to be loaded before everything else; empty: nothing
};

// The last that compiled is kept in the folder, as .built/NAME-KEY.so. Throws Error: no compiler; there is no such file
// in the folder.
Compiled compile_exercise(const LearnerFolder& folder, const ExerciseText& exercise, const WorkFolder& work,
                          const CompileOptions& options);

}  // namespace rung
