// An exercise as a person meets it: what its folder of course/exercises/ says.
#pragma once

#include <array>
#include <string>
#include <string_view>
#include <vector>

#include "learn/exercise.h"

namespace rung {

struct ExerciseText {
  std::string name;  // "m2-rms-norm"
  std::string title, milestone, function, signature, page;
  int order = 0, minutes = 0;
  bool test_out = false;  // solved, it shows that the whole milestone is known
  std::string_view text, stub, solution;
  std::array<std::string, 3> hints;
  const learn::Exercise* checks = nullptr;

  bool is_kernel() const { return checks->is_kernel; }
  const char* ending() const { return is_kernel() ? ".metal" : ".cpp"; }
  std::string file() const { return name + ending(); }  // in a learner's folder
};

// Those that this program can check, in the order in which they teach.
const std::vector<ExerciseText>& exercise_texts();

// The one that is meant: by its name, its title, its file, or a part of its name that only one has ("rms"), or only one
// of this milestone; large letters count as small ones. Throws UsageError.
const ExerciseText& exercise_named(std::string_view name, std::string_view milestone = "");
const ExerciseText* find_exercise_text(std::string_view name);  // by its whole name; null: there is none

// A file of course/exercises/ itself: "learn.h".
std::string_view course_file(std::string_view path);

}  // namespace rung
