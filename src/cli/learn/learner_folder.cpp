#include "cli/learn/learner_folder.h"

#include <fmt/format.h>

#include <algorithm>
#include <fstream>
#include <iterator>
#include <utility>

#include "base/atomic_file.h"
#include "base/error.h"
#include "base/json.h"
#include "base/utf8.h"
#include "cli/arguments.h"
#include "cli/learn/compile_kernel.h"
#include "cli/learn/small_files.h"
#include "cli/terminal.h"

namespace rung {

namespace fs = std::filesystem;

namespace {

constexpr const char* kProgressFile = "progress.json";
constexpr std::size_t kMostCode = std::size_t{1} << 20;  // bytes of one file: who writes more by hand?
constexpr std::size_t kMostCount = 1'000'000;

constexpr std::string_view kProject =
    R"(# For your editor: it learns the compiler's flags from here. Checking needs no build: rung learn check
cmake_minimum_required(VERSION 3.16)
project(learn_rung CXX)
set(CMAKE_CXX_STANDARD 20)
set(CMAKE_CXX_STANDARD_REQUIRED ON)
set(CMAKE_EXPORT_COMPILE_COMMANDS ON)
file(GLOB exercises CONFIGURE_DEPENDS *.cpp)
add_library(exercises OBJECT ${exercises})
target_compile_options(exercises PRIVATE -Wall -Wextra -Wno-unused-parameter -Wno-sign-compare)
)";

bool write_if_missing(const fs::path& path, std::string_view text) {
  std::error_code ignored;
  if (fs::exists(fs::symlink_status(path, ignored))) return false;
  AtomicFile file(path);
  file.write(text);
  file.commit();
  return true;
}

// A count, or a bool, of what somebody may have written by hand.
std::size_t count_in(const Json& object, const char* key, const std::string& where) {
  if (!object.contains(key)) return 0;
  const Json& value = object.at(key);
  if (!value.is_number_unsigned() || value.get<std::uint64_t>() > kMostCount) {
    fail("{}: {} is {}, expected a count", where, key, visible(value.dump(-1, ' ', true).substr(0, 40)));
  }
  return value.get<std::size_t>();
}
bool flag_in(const Json& object, const char* key, const std::string& where) {
  if (!object.contains(key)) return false;
  const Json& value = object.at(key);
  if (!value.is_boolean()) {
    fail("{}: {} is {}, expected true or false", where, key, visible(value.dump(-1, ' ', true).substr(0, 40)));
  }
  return value.get<bool>();
}

ExerciseProgress progress_in(const Json& object, const std::string& where) {
  if (!object.is_object()) fail("{}: found {}, expected an object", where, object.type_name());
  ExerciseProgress progress{.passed = flag_in(object, "passed", where),
                            .checks = count_in(object, "checks", where),
                            .hints = std::min<std::size_t>(count_in(object, "hints", where), 3),
                            .asked_for_solution = flag_in(object, "asked", where),
                            .opened_solution = flag_in(object, "solution", where)};
  progress.asked_for_solution = progress.asked_for_solution || progress.opened_solution;
  return progress;
}

OrderedJson json_of(const ExerciseProgress& progress) {
  return {{"passed", progress.passed},
          {"checks", progress.checks},
          {"hints", progress.hints},
          {"asked", progress.asked_for_solution},
          {"solution", progress.opened_solution}};
}

void check_size(const std::string& code, const std::string& where) {
  if (code.size() > kMostCode) fail("{}: its code has {} bytes, expected at most {}", where, code.size(), kMostCode);
}

const Json& exercises_in(const Json& file, std::string_view where) {
  if (!file.is_object() || !file.contains("exercises") || !file.at("exercises").is_object()) {
    fail("{}: found no object 'exercises', expected what rung learn writes", where);
  }
  if (file.value("version", Json()) != 1) {
    fail("{}: its version is {}, expected 1", where,
         visible(file.value("version", Json()).dump(-1, ' ', true).substr(0, 40)));
  }
  return file.at("exercises");
}

}  // namespace

LearnerFolder::LearnerFolder(fs::path path) : path_(std::move(path)) {
  const fs::path file = path_ / kProgressFile;
  try {
    const Json json = parse_json(read_small_file(file), file.string());
    for (const auto& [name, progress] : exercises_in(json, file.string()).items()) {
      if (find_exercise_text(name) == nullptr) continue;  // of another version of Rung
      progress_[name] = progress_in(progress, fmt::format("{}: {}", file.string(), name));
    }
  } catch (const Error& e) {
    fail("{}; rename it, then: rung learn start {} (your .cpp files stay)", e.what(), path_.string());
  }
}

bool LearnerFolder::is_one(const fs::path& path) {
  std::error_code ignored;
  return fs::is_regular_file(path / kProgressFile, ignored) && fs::is_regular_file(path / "learn.h", ignored);
}

std::optional<LearnerFolder> LearnerFolder::find(const std::string& named) {
  if (!named.empty()) {
    std::error_code ignored;
    if (fs::is_regular_file(named, ignored)) {
      const fs::path folder = fs::path(named).parent_path();
      throw UsageError(fmt::format("{}: is a file: give the folder, {}", visible(named),
                                   visible(folder.empty() ? "." : folder.string())));
    }
    if (!is_one(named)) {
      throw UsageError(
          fmt::format("{}: is no learner's folder: rung learn start {} makes it one", visible(named), visible(named)));
    }
    return LearnerFolder(fs::absolute(named));
  }
  for (fs::path path = fs::current_path();; path = path.parent_path()) {
    if (is_one(path)) return LearnerFolder(path);
    if (path == path.parent_path()) return std::nullopt;
  }
}

LearnerFolder LearnerFolder::open(const std::string& named) {
  std::optional<LearnerFolder> folder = find(named);
  if (!folder) throw UsageError("this is no learner's folder: rung learn start FOLDER makes one, then go there");
  return std::move(*folder);
}

LearnerFolder LearnerFolder::start(const fs::path& path, std::size_t& files_written) {
  std::error_code error;
  fs::create_directories(path, error);
  if (error) fail("{}: cannot be made: {}", path.string(), error.message());
  files_written = 0;
  const auto bring = [&](const std::string& name, std::string_view text) {
    const bool written = write_if_missing(path / name, text);
    files_written += written ? 1 : 0;
    return written;
  };
  bring("learn.h", course_file("learn.h"));
  bring("learn_metal.h", course_file("learn_metal.h"));
  bring("CMakeLists.txt", kProject);
  bring("tutor.md", course_file("tutor.md"));
  std::vector<std::string> anew;
  for (const ExerciseText& exercise : exercise_texts()) {
    if (bring(exercise.file(), exercise.stub)) anew.push_back(exercise.name);
  }
  bring(kProgressFile, "{\"version\": 1, \"exercises\": {}}\n");
  LearnerFolder folder(fs::absolute(path));
  bool changed = false;
  for (const std::string& name : anew) changed = folder.progress_.erase(name) > 0 || changed;
  if (changed) folder.save();
  return folder;
}

bool LearnerFolder::needs(const fs::path& file) const {
  std::error_code ignored;
  if (!fs::equivalent(fs::absolute(file, ignored).parent_path(), path_, ignored)) return false;
  const std::string name = file.filename().string();
  return fs::exists(file, ignored) && (name == kProgressFile || file.extension() != ".json");
}

std::optional<std::string> LearnerFolder::code_of(const ExerciseText& exercise) const {
  std::error_code ignored;
  if (!fs::is_regular_file(file_of(exercise), ignored)) return std::nullopt;
  return read_small_file(file_of(exercise));
}

bool LearnerFolder::is_stub(const ExerciseText& exercise) const {
  const std::optional<std::string> code = code_of(exercise);
  return !code || *code == exercise.stub;
}

const ExerciseProgress& LearnerFolder::progress(const ExerciseText& exercise) const {
  static const ExerciseProgress none;
  const auto found = progress_.find(exercise.name);
  return found == progress_.end() ? none : found->second;
}

void LearnerFolder::save() const {
  OrderedJson all = OrderedJson::object();
  for (const auto& [name, progress] : progress_) all[name] = json_of(progress);
  AtomicFile file(path_ / kProgressFile);
  file.write(OrderedJson{{"version", 1}, {"exercises", std::move(all)}}.dump(1) + "\n");
  file.commit();
}

bool LearnerFolder::is_solved(const ExerciseText& exercise) const {
  return progress(exercise).passed && !is_stub(exercise);
}

bool LearnerFolder::is_done(const ExerciseText& exercise) const {
  if (is_solved(exercise)) return true;
  const auto& all = exercise_texts();
  return std::any_of(all.begin(), all.end(), [&](const ExerciseText& other) {
    return other.test_out && other.milestone == exercise.milestone && is_solved(other) &&
           !progress(other).opened_solution;
  });
}

const ExerciseText* LearnerFolder::next() const {
  const auto& all = exercise_texts();
  const auto found = std::find_if(all.begin(), all.end(),
                                  [&](const ExerciseText& e) { return !is_done(e) && missing_for(e).empty(); });
  return found == all.end() ? nullptr : &*found;
}

OrderedJson LearnerFolder::exported() const {
  OrderedJson all = OrderedJson::object();
  for (const ExerciseText& exercise : exercise_texts()) {
    const bool has_progress = progress_.contains(exercise.name);
    if (!has_progress && is_stub(exercise)) continue;
    OrderedJson one = json_of(progress(exercise));
    one["passed"] = is_solved(exercise);
    if (!is_stub(exercise)) {
      one["code"] = to_valid_utf8(*code_of(exercise));
      check_size(one.at("code").get_ref<const std::string&>(), exercise.file());
    }
    all[exercise.name] = std::move(one);
  }
  return {{"version", 1}, {"exercises", std::move(all)}};
}

std::vector<std::string> LearnerFolder::import(const Json& exported, std::string_view where) {
  struct Code {
    const ExerciseText* exercise;
    std::string code;
  };
  std::vector<Code> codes;
  auto merged = progress_;
  for (const auto& [name, one] : exercises_in(exported, where).items()) {
    const ExerciseText* const exercise = find_exercise_text(name);
    if (exercise == nullptr) continue;
    const std::string place = fmt::format("{}: {}", where, name);
    const ExerciseProgress theirs = progress_in(one, place);
    ExerciseProgress& ours = merged[name];
    ours = {.passed = ours.passed,  // what they have passed is their code
            .checks = std::max(ours.checks, theirs.checks),
            .hints = std::max(ours.hints, theirs.hints),
            .asked_for_solution = ours.asked_for_solution || theirs.asked_for_solution,
            .opened_solution = ours.opened_solution || theirs.opened_solution};
    if (!one.contains("code")) continue;
    if (!one.at("code").is_string()) fail("{}: code is {}, expected a text", place, one.at("code").type_name());
    codes.push_back({exercise, one.at("code").get<std::string>()});
    const std::string& code = codes.back().code;
    const std::optional<std::string> here = code_of(*exercise);
    if (here == code) {
      ours.passed = ours.passed || theirs.passed;
    } else if (!here || *here == exercise->stub) {
      ours.passed = theirs.passed;
    }
    check_size(code, place);
  }
  std::vector<std::string> lines;
  for (const auto& [exercise, code] : codes) {
    const std::optional<std::string> here = code_of(*exercise);
    if (here == code) continue;
    const bool beside = here && *here != exercise->stub;
    const std::string name = beside ? exercise->name + ".imported" + exercise->ending() : exercise->file();
    AtomicFile file(path_ / name);
    file.write(code);
    file.commit();
    lines.push_back(beside ? fmt::format("{} (yours, {}, stays as it is)", name, exercise->file()) : name);
  }
  progress_ = std::move(merged);
  save();
  return lines;
}

}  // namespace rung
