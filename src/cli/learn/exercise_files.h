// What course/exercises/ holds, compiled into the program (cmake/exercise_files.cmake).
#pragma once

#include <span>
#include <string_view>

namespace rung {

struct ExerciseFile {
  std::string_view path;  // below course/exercises/: "m2-rms-norm/stub.cpp"
  std::string_view text;
};
std::span<const ExerciseFile> exercise_files();

}  // namespace rung
