// A learner's folder: one file an exercise, the headers, and what they have done so far.
//
//   learn.h  learn_metal.h  CMakeLists.txt  tutor.md  m0-merge-loop.cpp  …  m7-kernel.metal  progress.json
#pragma once

#include <filesystem>
#include <map>
#include <optional>
#include <string>
#include <string_view>
#include <vector>

#include "base/json_fwd.h"
#include "cli/learn/exercise_texts.h"

namespace rung {

// What became of an exercise.
struct ExerciseProgress {
  bool passed = false;
  std::size_t checks = 0;           // how often it was checked
  std::size_t hints = 0;            // how many were opened
  bool asked_for_solution = false;  // once: the second time it is shown
  bool opened_solution = false;
};

class LearnerFolder {
 public:
  // The folder that is named, or the working directory or one above it that is a learner's. Throws UsageError: there is
  // none; Error: its progress.json cannot be read.
  static LearnerFolder open(const std::string& named);
  static std::optional<LearnerFolder> find(const std::string& named);  // none: nothing is named, and there is none
  // Makes one, or brings what is missing of it. What is there stays as it is; a stub that is brought again is a new
  // attempt, of which nothing is passed or opened.
  static LearnerFolder start(const std::filesystem::path& path, std::size_t& files_written);

  const std::filesystem::path& path() const { return path_; }
  std::filesystem::path file_of(const ExerciseText& exercise) const { return path_ / exercise.file(); }
  bool needs(const std::filesystem::path& file) const;  // code, progress or a header: not to be written over
  std::optional<std::string> code_of(const ExerciseText& exercise) const;  // none: there is no such file
  bool is_stub(const ExerciseText& exercise) const;                        // nothing was written yet

  const ExerciseProgress& progress(const ExerciseText& exercise) const;
  ExerciseProgress& progress(const ExerciseText& exercise) { return progress_[exercise.name]; }
  void save() const;

  // Passed, and the file is still there and no stub again.
  bool is_solved(const ExerciseText& exercise) const;
  // Solved, or of a milestone whose test-out is solved without a look at the solution.
  bool is_done(const ExerciseText& exercise) const;
  const ExerciseText* next() const;  // the first that is not done, and can be done here; null: there is none

  // All of it in one JSON file, which the course's page reads and writes, too.
  OrderedJson exported() const;
  // Takes what such a file holds. Code that differs from what is here is put beside it, NAME.imported.cpp (or .metal),
  // and what it had passed is not yours. Returns a line for each file that was written. Throws Error, and has then
  // changed nothing.
  std::vector<std::string> import(const Json& exported, std::string_view where);

 private:
  explicit LearnerFolder(std::filesystem::path path);
  static bool is_one(const std::filesystem::path& path);

  std::filesystem::path path_;
  std::map<std::string, ExerciseProgress, std::less<>> progress_;
};

}  // namespace rung
