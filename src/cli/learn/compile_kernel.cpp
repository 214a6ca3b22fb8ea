#include "cli/learn/compile_kernel.h"

#include <fmt/format.h>

#include <string_view>
#include <vector>

#include "base/error.h"
#include "cli/child.h"
#include "cli/learn/built.h"
#include "cli/learn/exercise_files.h"
#include "cli/learn/small_files.h"

namespace rung {

namespace fs = std::filesystem;

namespace {

constexpr const char* kKernelCompiler = "clang++-19";

// The emulator's files, as the program carries them, and the headers that are compiled with them.
constexpr std::string_view kEmulatorPrefix = "emulator/";
constexpr const char* kDoorHeaders[] = {"entry.h", "kernel_entry.h", "learn_metal.h"};

void write_emulator(const WorkFolder& work) {
  for (const ExerciseFile& file : exercise_files()) {
    if (!file.path.starts_with(kEmulatorPrefix)) continue;
    const fs::path path = work.path() / file.path;
    fs::create_directories(path.parent_path());
    write_small_file(path, file.text);
  }
  for (const char* const header : kDoorHeaders) write_small_file(work / header, course_file(header));
}

// All of the emulator that a kernel is run by, and the door to it: one file for the compiler. What loads kernels from
// files of their own is not needed.
std::string door_of(const ExerciseText& exercise) {
  std::string code;
  for (const ExerciseFile& file : exercise_files()) {
    const bool is_runtime = file.path.starts_with("emulator/runtime/") && file.path.ends_with(".cpp");
    if (is_runtime && !file.path.ends_with("/library.cpp")) code += fmt::format("#include \"{}\"\n", file.path);
  }
  return code +
         fmt::format("#include \"kernel_entry.h\"\nRUNG_KERNEL({}, {})\n", exercise.function, exercise.signature);
}

std::string text_of_emulator() {
  std::string all;
  for (const ExerciseFile& file : exercise_files()) {
    if (file.path.starts_with(kEmulatorPrefix)) all += file.text;
  }
  for (const char* const header : kDoorHeaders) all += course_file(header);
  return all;
}

class KernelBuild {
 public:
  KernelBuild(const LearnerFolder& folder, const ExerciseText& exercise, const WorkFolder& work)
      : folder_(folder), exercise_(exercise), work_(work) {}

  Compiled run(const std::string& code, bool reuse) {
    const std::string door = door_of(exercise_), emulator = text_of_emulator();
    const fs::path kept = built_path(folder_, exercise_.name, code + door + emulator, ".so");
    const bool is_kept = stands_alone(folder_, code);
    std::error_code ignored;
    if (reuse && is_kept && fs::exists(kept, ignored)) {
      return {.ok = true, .library = kept, .said = "", .sanitizers = {}};
    }
    write_emulator(work_);
    const bool is_sound =
        looked_at("mslcc.py", {"--checked"}, (work_ / "kernel.o").string()) && looked_at("address_spaces.py", {}, "");
    compiled_.said = without_folder(without_folder(compiled_.said, folder_.path()), work_.path());
    if (!is_sound) return compiled_;
    const fs::path door_object = made_door(door, emulator);
    compiled_.library = work_.path() / (exercise_.name + ".so");
    // The emulator has functions that a sanitizer's runtime has, too: in here its own are meant.
    run_or_fail({kKernelCompiler, "-shared", "-Wl,-Bsymbolic", "-Wl,--no-undefined", door_object.string(),
                 (work_ / "kernel.o").string(), "-o", compiled_.library.string()});
    compiled_.ok = true;
    if (is_kept) keep_built(compiled_.library, kept);
    return compiled_;
  }

 private:
  // One of the emulator's tools looks at the kernel; false: it is refused.
  bool looked_at(const char* tool, std::vector<std::string> options, const std::string& target) {
    std::vector<std::string> command{"python3", (work_.path() / "emulator" / tool).string()};
    command.insert(command.end(), options.begin(), options.end());
    command.insert(command.end(), {"-DRUNG_EMULATOR", "-I" + folder_.path().string(), "-I" + work_.path().string(),
                                   folder_.file_of(exercise_).string()});
    if (!target.empty()) command.push_back(target);
    const ChildResult result = run_child(command, work_.path(), [] {});
    compiled_.said += result.errors;
    return result.status == 0;
  }

  fs::path made_door(const std::string& code, const std::string& emulator) {
    const fs::path kept = built_path(folder_, "emulator", code + emulator, ".o"), made = work_ / "emulator.o";
    std::error_code ignored;
    if (fs::exists(kept, ignored)) return kept;
    write_small_file(work_ / "door.cpp", code);
    run_or_fail({kKernelCompiler, "-std=c++20", "-O2", "-fPIC", "-fvisibility=hidden", "-I", work_.path().string(),
                 "-c", (work_ / "door.cpp").string(), "-o", made.string()});
    keep_built(made, kept);
    return made;
  }

  // What fails here is not the learner's.
  void run_or_fail(const std::vector<std::string>& command) const {
    const ChildResult result = run_child(command, work_.path(), [] {});
    if (result.status != 0) fail("{} cannot make the emulator of Metal: {}", kKernelCompiler, result.errors);
  }

  const LearnerFolder& folder_;
  const ExerciseText& exercise_;
  const WorkFolder& work_;
  Compiled compiled_;
};

}  // namespace

std::string missing_for(const ExerciseText& exercise) {
  if (!exercise.is_kernel()) return "";
#if !defined(__linux__) || !(defined(__x86_64__) || defined(__aarch64__))
  return "the emulator of Metal is for Linux on x86-64 and arm64";
#else
  struct Needed {
    const char *program, *package;
  };
  for (const auto& [program, package] :
       {Needed{kKernelCompiler, "clang-19"}, Needed{"llvm-symbolizer-19", "llvm-19"}, Needed{"python3", "python3"}}) {
    if (!program_in_path(program)) {
      return fmt::format("it needs {}, which is not there; to install it: apt install {}", program, package);
    }
  }
  return "";
#endif
}

Compiled compile_kernel(const LearnerFolder& folder, const ExerciseText& exercise, const WorkFolder& work,
                        const CompileOptions& options) {
  const std::string missing = missing_for(exercise);
  if (!missing.empty()) fail("{}: {}", exercise.name, missing);
  if (!options.compiler.empty()) fail("{}: --compiler: a kernel is compiled by {}", exercise.name, kKernelCompiler);
  return KernelBuild(folder, exercise, work).run(folder.code_of(exercise).value_or(""), options.reuse);
}

}  // namespace rung
