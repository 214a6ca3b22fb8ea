// A learner's kernel (.metal) → a shared object with rung_exercise in it, as compile.h makes one of C++: the kernel as
// the emulator's compiler makes it, watched at every access, with the emulator that runs it.
#pragma once

#include <string>

#include "cli/learn/compile.h"

namespace rung {

// What this machine lacks for an exercise, and which package has it; empty: nothing.
std::string missing_for(const ExerciseText& exercise);

// Throws Error: missing_for says something.
Compiled compile_kernel(const LearnerFolder& folder, const ExerciseText& exercise, const WorkFolder& work,
                        const CompileOptions& options);

}  // namespace rung
