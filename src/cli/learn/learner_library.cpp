#include "cli/learn/learner_library.h"

#include <dlfcn.h>
#include <setjmp.h>

#include <array>
#include <cstdio>
#include <cstring>
#include <utility>

#include "base/error.h"

namespace rung {

namespace {

constexpr int kMostPrinted = 1 << 16;  // bytes: pebble asks a function some thousand times

struct Library {
  std::string path;
  learn::LearnerFunction function = nullptr;
};
std::array<Library, kMostLearners> loaded_libraries;
int loaded_count = 0;
volatile std::uint64_t calls = 0;
volatile bool inside = false;

struct Inside {
  Inside() {
    calls = calls + 1;
    inside = true;
  }
  ~Inside() { inside = false; }
};

// not_yet and fault come back here. They cannot throw, since nothing can that crosses without_exceptions.
thread_local jmp_buf back;
thread_local const char* not_written = "";
thread_local const char* faulty = "";
enum Back { from_not_yet = 1, from_fault = 2 };

// What the standard library throws in their code (which cannot catch it) ends the process where it is thrown: before
// any frame is gone, so that its line can be named.
[[gnu::noinline]] void without_exceptions(learn::LearnerFunction function, RungValue* values) noexcept {
  function(values);
}

// A LearnerFunction has no room for anything but its code: so each library has one of its own.
template <int i>
void counted(RungValue* values) {
  const Inside now;
  switch (_setjmp(back)) {
    case from_not_yet: throw learn::NotYet(not_written);
    case from_fault: throw learn::KernelFault(faulty);
  }
  without_exceptions(loaded_libraries[i].function, values);
}
template <int... i>
constexpr std::array<learn::LearnerFunction, sizeof...(i)> all_counted(std::integer_sequence<int, i...>) {
  return {counted<i>...};
}
constexpr auto kCounted = all_counted(std::make_integer_sequence<int, kMostLearners>{});

void print(const char* text, int bytes) {
  static int printed = 0;
  if (printed > kMostPrinted) return;
  printed += bytes;
  std::fwrite(text, 1, static_cast<std::size_t>(bytes), stdout);
  if (printed > kMostPrinted) std::fputs("\n(what comes after this is not shown)\n", stdout);
  std::fflush(stdout);  // a crash takes what was not written
}

[[noreturn]] void not_yet(const char* what) {
  not_written = what;
  _longjmp(back, from_not_yet);
}

[[noreturn]] void fault(const char* words) {
  faulty = words;
  _longjmp(back, from_fault);
}

// Runs what they have outside of functions.
void* opened(const char* path) noexcept {
  const Inside now;
  // dlopen is declared to throw nothing, and yet it does: through a pointer the compiler does not believe it
  void* (*const volatile open)(const char*, int) = ::dlopen;
  return open(path, RTLD_NOW | RTLD_LOCAL);
}

}  // namespace

learn::LearnerFunction load_learner(const std::string& path) {
  if (loaded_count == kMostLearners) fail("{}: {} functions are loaded already", path, loaded_count);
  void* const library = opened(path.c_str());
  if (library == nullptr) fail("{}: cannot be loaded: {}", path, ::dlerror());
  static constexpr RungHost host{print, not_yet, fault};
  const auto take_host = reinterpret_cast<void (*)(const RungHost*)>(::dlsym(library, "rung_host"));
  const auto function = reinterpret_cast<learn::LearnerFunction>(::dlsym(library, "rung_exercise"));
  if (take_host == nullptr || function == nullptr) fail("{}: has no rung_exercise", path);
  take_host(&host);
  loaded_libraries[static_cast<std::size_t>(loaded_count)] = {path, function};
  return kCounted[static_cast<std::size_t>(loaded_count++)];
}

int learner_library_at(const char* path) {
  for (int i = 0; i < loaded_count; ++i) {
    if (std::strcmp(loaded_libraries[static_cast<std::size_t>(i)].path.c_str(), path) == 0) return i;
  }
  return -1;
}

std::uint64_t learner_calls() { return calls; }
bool inside_learner() { return inside; }

}  // namespace rung
