#include "cli/learn/compile.h"

#include <fmt/ranges.h>
#include <unistd.h>

#include <sstream>
#include <vector>

#include "base/error.h"
#include "cli/child.h"
#include "cli/learn/built.h"
#include "cli/learn/compile_kernel.h"
#include "cli/learn/small_files.h"

namespace rung {

namespace fs = std::filesystem;

namespace {

// The same everywhere, so that what is solved today is solved in years: the language's version, warnings, checked spans
// and vectors (of both standard libraries), and endless loops that stay endless.
constexpr const char* kFlags[] = {"-std=c++20",
                                  "-O2",
                                  "-gdwarf-4",  // of g++'s DWARF 5 addr2line (binutils 2.40) names the wrong file
                                  "-fno-exceptions",
                                  "-fasynchronous-unwind-tables",  // their lines are named by what they call, too
                                  "-fno-finite-loops",
                                  "-ffp-contract=off",
                                  "-Wall",
                                  "-Wextra",
                                  "-Wno-unused-parameter",
                                  "-Wno-sign-compare",  // int i, as most write it, beside a size
                                  "-D_GLIBCXX_ASSERTIONS",
                                  "-D_LIBCPP_HARDENING_MODE=_LIBCPP_HARDENING_MODE_EXTENSIVE",
                                  "-fPIC",
                                  "-shared",
                                  "-fvisibility=hidden",
                                  "-fdiagnostics-color=never"};

std::string found_compiler(const std::string& wanted) {
  const std::vector<std::string> names =
      wanted.empty() ? std::vector<std::string>{"c++", "g++", "clang++"} : std::vector<std::string>{wanted};
  for (const std::string& name : names) {
    if (name.find('/') != name.npos && ::access(name.c_str(), X_OK) == 0) return fs::absolute(name);
    if (const auto found = program_in_path(name)) return *found;
  }
  if (!wanted.empty()) fail("{}: no such compiler", wanted);
  fail(
      "no C++ compiler found (c++, g++ or clang++); to install one: Debian, Ubuntu: apt install g++; Fedora: "
      "dnf install gcc-c++; Arch: pacman -S gcc; macOS: xcode-select --install");
}

// #line keeps the compiler from naming a file that the learner has never seen, and a crash from being found there.
// g++ would let all checks of an index share one call, and with it one line: so it names the wrong loop.
std::string entry_of(const LearnerFolder& folder, const ExerciseText& exercise) {
  return fmt::format(
      "#if defined(__clang__) ? __clang_major__ < 14 : __GNUC__ < 12\n"
      "#error this compiler is too old: g++ 12 or clang 14 is needed\n"
      "#endif\n"
      "#if !defined(__clang__)\n"
      "#pragma GCC optimize(\"no-crossjumping\", \"no-tree-tail-merge\")\n"
      "#endif\n"
      "#include \"learn.h\"\n#include \"{}\"\n#include \"entry.h\"\n"
      "#line 1 \"the signature\"\n"
      "RUNG_EXERCISE({}, {})\n",
      folder.file_of(exercise).string(), exercise.function, exercise.signature);
}

// The runtime of the address sanitizer, as a program that was built without it has to load it: first of all.
fs::path sanitizer_runtime(const std::string& compiler, const WorkFolder& work) {
  // clang finds gcc's, too, and does not get along with it
  const bool is_clang =
      run_child({compiler, "--version"}, work.path(), [] {}).output.find("clang") != std::string::npos;
  const std::vector<const char*> names =
      is_clang ? std::vector<const char*>{"libclang_rt.asan-x86_64.so", "libclang_rt.asan-aarch64.so",
                                          "libclang_rt.asan.so", "libclang_rt.asan_osx_dynamic.dylib"}
               : std::vector<const char*>{"libasan.so"};
  for (const char* name : names) {
    const ChildResult found = run_child({compiler, fmt::format("-print-file-name={}", name)}, work.path(), [] {});
    std::string path = found.output;
    while (!path.empty() && path.back() == '\n') path.pop_back();
    std::error_code ignored;
    if (found.status == 0 && path.find('/') != path.npos && fs::exists(path, ignored)) return fs::canonical(path);
  }
  fail("{}: comes without the address sanitizer's library (clang: apt install libclang-rt-dev)", compiler);
}

// Where the learner's own lines are sound and the function's type is not, the compiler speaks of macros that nobody has
// seen: one sentence instead.
std::string without_macros(const std::string& said, const ExerciseText& exercise) {
  bool is_theirs = false;
  std::istringstream lines(said);
  for (std::string line; std::getline(lines, line);) {
    const bool names_file = line.rfind(exercise.file() + ":", 0) == 0 || line.rfind("learn.h:", 0) == 0;
    is_theirs = is_theirs || (names_file && line.find("error:") != line.npos);
  }
  if (is_theirs || said.find("the signature:") == said.npos || said.find("too old") != said.npos) return said;
  std::string declaration = exercise.signature;
  declaration.insert(declaration.find('('), " " + exercise.function);
  const bool is_missing = said.find("not declared") != said.npos || said.find("undeclared") != said.npos;
  return is_missing ? fmt::format("{}: there is no function {} in it; expected: {}\n", exercise.file(),
                                  exercise.function, declaration)
                    : fmt::format("{}: keep the signature of {}: {}\n", exercise.file(), exercise.function,
                                  exercise.signature);
}

}  // namespace

Compiled compile_exercise(const LearnerFolder& folder, const ExerciseText& exercise, const WorkFolder& work,
                          const CompileOptions& options) {
  const std::optional<std::string> code = folder.code_of(exercise);
  if (!code) {
    fail("{}: is not there; rung learn start {} brings it", folder.file_of(exercise).string(), folder.path().string());
  }
  if (exercise.is_kernel()) return compile_kernel(folder, exercise, work, options);
  const std::string compiler = found_compiler(options.compiler);
  const std::string entry = entry_of(folder, exercise);
  write_small_file(work / "entry.h", course_file("entry.h"));
  write_small_file(work / "entry.cpp", entry);
  Compiled compiled;
  compiled.library = work.path() / (exercise.name + ".so");
  std::vector<std::string> command{compiler};
  command.insert(command.end(), std::begin(kFlags), std::end(kFlags));
  const std::string made_of = fmt::format("{}\n{}\n{}\n{}\n{}", fmt::join(command, " "), *code, entry,
                                          course_file("entry.h"), read_small_file(folder.path() / "learn.h"));
  const fs::path kept = built_path(folder, exercise.name, made_of, ".so");
  const bool is_kept = !options.sanitize && stands_alone(folder, *code);
  std::error_code ignored;
  if (options.reuse && is_kept && fs::exists(kept, ignored)) {
    return {.ok = true, .library = kept, .said = "", .sanitizers = {}};
  }
  command.insert(command.end(), {"-I", folder.path().string(), "-I", work.path().string()});
  if (options.sanitize) {
    compiled.sanitizers = sanitizer_runtime(compiler, work);
    command.insert(command.end(),
                   {"-fsanitize=address,undefined", "-fno-sanitize-recover=all", "-fno-omit-frame-pointer"});
    if (compiled.sanitizers.string().find("clang") != std::string::npos) command.push_back("-shared-libasan");
  }
  command.insert(command.end(), {(work / "entry.cpp").string(), "-o", compiled.library.string()});
  const ChildResult result = run_child(command, work.path(), [] {});
  compiled.ok = result.status == 0;
  compiled.said = without_folder(result.errors, folder.path());
  if (!compiled.ok) compiled.said = without_macros(compiled.said, exercise);
  if (compiled.ok && is_kept) keep_built(compiled.library, kept);
  return compiled;
}

}  // namespace rung
