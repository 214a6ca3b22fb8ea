// The files of course/exercises/, compiled into this program (tests/learn/exercises.cmake).
#pragma once

#include <string_view>
#include <vector>

#include "exercises/entry.h"

namespace rung::learn {

// Each enters itself into all() when the program starts.
struct CompiledFile {
  CompiledFile(std::string_view exercise_name, std::string_view file_name, void (*function)(RungValue*))
      : exercise(exercise_name), file(file_name), call(function) {
    all().push_back(*this);
  }
  std::string_view exercise;  // "m2-rms-norm"
  std::string_view file;      // "stub.cpp", "solution.cpp", "wrong/sum.cpp"
  void (*call)(RungValue* values);

  static std::vector<CompiledFile>& all() {
    static std::vector<CompiledFile> files;
    return files;
  }
};

}  // namespace rung::learn
