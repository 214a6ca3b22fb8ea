#include "cli/learn/in_child.h"

#include <dlfcn.h>
#include <execinfo.h>
#include <fmt/format.h>
#include <sys/resource.h>
#include <sys/time.h>
#include <unistd.h>

#if defined(__linux__)
#include <sys/prctl.h>
#include <ucontext.h>  // which a Mac gives to nobody without asking twice, and nobody asks
#endif

#include <algorithm>
#include <csignal>
#include <cstdint>
#include <cstdlib>
#include <cstring>
#include <exception>
#include <new>
#include <stdexcept>

#include "base/atomic_file.h"
#include "base/error.h"
#include "base/json.h"
#include "cli/learn/learner_library.h"
#include "cli/learn/small_files.h"
#include "cli/learn/tell.h"
#include "cli/terminal.h"
#include "learn/check.h"
#include "learn/in_engine.h"

namespace rung {

namespace {

constexpr rlim_t kMemoryOfACheck = rlim_t{4} << 30;
constexpr int kTicksASecond = 4, kMostSecondsOfWork = 5, kMostSecondsOfWaiting = 30;

// ---- What a signal handler may do: write, and end. (POSIX: async-signal-safe functions.) ----

void put(const char* text) { [[maybe_unused]] const ssize_t n = ::write(STDERR_FILENO, text, std::strlen(text)); }

void put_number(std::uintptr_t number, unsigned base) {
  char digits[24];
  char* at = digits + sizeof digits;
  *--at = 0;
  do *--at = "0123456789abcdef"[number % base];
  while ((number /= base) != 0);
  put(at);
}

struct Stopped {  // where a signal found the program
  std::uintptr_t instruction = 0, stack = 0;
};
Stopped stopped_at(void* context) {
#if defined(__linux__) && defined(__x86_64__)
  const auto& registers = static_cast<ucontext_t*>(context)->uc_mcontext.gregs;
  return {static_cast<std::uintptr_t>(registers[REG_RIP]), static_cast<std::uintptr_t>(registers[REG_RSP])};
#elif defined(__linux__) && defined(__aarch64__)
  const auto& registers = static_cast<ucontext_t*>(context)->uc_mcontext;
  return {static_cast<std::uintptr_t>(registers.pc), static_cast<std::uintptr_t>(registers.sp)};
#else
  (void)context;
  return {};
#endif
}

// The frames that are a learner's: library and offset. A frame that calls another stands behind its call: one less is
// the call's own line.
void put_frames(std::uintptr_t instruction) {
  void* frames[64];
  const int count = ::backtrace(frames, 64);
  for (int i = 0; i < count; ++i) {
    const auto at = reinterpret_cast<std::uintptr_t>(frames[i]);
    Dl_info info{};
    if (::dladdr(frames[i], &info) == 0 || info.dli_fname == nullptr) continue;
    const int library = learner_library_at(info.dli_fname);
    if (library < 0) continue;
    put("@rung at ");
    put_number(static_cast<std::uintptr_t>(library), 10);
    put(" ");
    put_number(at - reinterpret_cast<std::uintptr_t>(info.dli_fbase) - (at == instruction ? 0 : 1), 16);
    put("\n");
  }
}

extern "C" void on_crash(int signal, siginfo_t* info, void* context) {
  const Stopped stopped = stopped_at(context);
  const auto address = reinterpret_cast<std::uintptr_t>(info->si_addr);
  constexpr std::uintptr_t kNear = 1 << 16;
  const bool near_stack = stopped.stack != 0 && address + kNear > stopped.stack && address < stopped.stack + kNear;
  put("\n@rung crash ");
  if (signal == SIGSEGV && near_stack) {
    put("overflow");
  } else {
    put_number(static_cast<std::uintptr_t>(signal), 10);
  }
  put("\n");
  put_frames(stopped.instruction);
  ::_exit(kCrashed);
}

// A call that is still the same one, tick after tick.
volatile std::sig_atomic_t ticks_of_work = 0, ticks_of_waiting = 0;
std::uint64_t call_at_last_tick = 0;

extern "C" void on_tick(int signal, siginfo_t*, void* context) {
  const std::uint64_t call = learner_calls();
  if (call != call_at_last_tick || !inside_learner()) {
    ticks_of_work = 0;
    ticks_of_waiting = 0;
  }
  call_at_last_tick = call;
  if (!inside_learner()) return;
  volatile std::sig_atomic_t& ticks = signal == SIGPROF ? ticks_of_work : ticks_of_waiting;
  ticks = ticks + 1;
  if (ticks < kTicksASecond * (signal == SIGPROF ? kMostSecondsOfWork : kMostSecondsOfWaiting)) return;
  put("\n@rung hangs\n");
  put_frames(stopped_at(context).instruction);
  ::_exit(kHung);
}

// ---- ----

void put_thrown(const std::exception& e, const char* meaning) {
  put("\n@rung threw ");
  put(e.what());
  put(meaning);
  put("\n");
}

// What is thrown in their code is caught nowhere (learner_library.cpp).
[[noreturn]] void on_terminate() {
  if (!inside_learner()) std::abort();
  if (!std::current_exception()) {
    put("\n@rung threw nothing, and std::terminate() was called: a std::thread that nobody joined?\n");
    put_frames(0);
    ::_exit(kCrashed);
  }
  try {
    throw;
  } catch (const std::bad_alloc&) {
    put("\n@rung memory\n");
  } catch (const std::length_error& e) {
    put_thrown(e, " (a length beyond all bounds: did a size become less than zero?)");
  } catch (const std::out_of_range& e) {
    put_thrown(e, " (a place beyond the end)");
  } catch (const std::exception& e) {
    put_thrown(e, "");
  } catch (...) {
    put("\n@rung threw something\n");
  }
  put_frames(0);
  ::_exit(kCrashed);
}

void on_exit() {
  if (!inside_learner()) return;
  put("\n@rung exit\n");
  put_frames(0);
  ::_exit(kCrashed);
}

void handle(int signal, void (*handler)(int, siginfo_t*, void*)) {
  struct sigaction action{};
  action.sa_sigaction = handler;
  action.sa_flags = SA_SIGINFO | SA_ONSTACK | SA_RESTART;
  sigaction(signal, &action, nullptr);
}

void watch_over_learner(bool sanitized) {
  static char room[1 << 16];  // a full stack has none for a handler
  stack_t stack{};            // whose members stand in another order on a Mac
  stack.ss_sp = room;
  stack.ss_size = sizeof room;
  ::sigaltstack(&stack, nullptr);
  void* frame[1];
  ::backtrace(frame, 1);  // loads what it needs, which a handler may not
  if (!sanitized) {       // the sanitizers say it themselves, and better
    for (const int signal : {SIGSEGV, SIGBUS, SIGFPE, SIGILL, SIGABRT, SIGTRAP}) handle(signal, on_crash);
  }
  std::set_terminate(on_terminate);
  std::atexit(on_exit);
  handle(SIGPROF, on_tick);
  handle(SIGALRM, on_tick);
  const itimerval often{{0, 1'000'000 / kTicksASecond}, {0, 1'000'000 / kTicksASecond}};
  ::setitimer(ITIMER_PROF, &often, nullptr);
  ::setitimer(ITIMER_REAL, &often, nullptr);
}

// What they wrote to stderr may have ended in the middle of a line.
void say(std::string_view line) { write_error(fmt::format("\n@rung {}\n", line)); }

// What they ask for beyond it they do not get: a line says so, before the machine has to swap. RLIMIT_DATA counts what
// is written to, not the files that are mapped (a Mac counts nothing). A sanitizer maps terabytes for itself.
void limit_memory(rlim_t bytes) {
  for (const char* sanitizer : {"__asan_init", "__tsan_init"}) {
    if (::dlsym(RTLD_DEFAULT, sanitizer) != nullptr) return;
  }
  rlimit limit{};
  if (::getrlimit(RLIMIT_DATA, &limit) != 0) return;
  limit.rlim_cur = std::min(limit.rlim_cur, bytes);
  ::setrlimit(RLIMIT_DATA, &limit);
}
rlim_t memory_of_machine() {
  return static_cast<rlim_t>(::sysconf(_SC_PHYS_PAGES)) * static_cast<rlim_t>(::sysconf(_SC_PAGESIZE));
}

int check(const std::vector<std::string>& arguments) {
  const learn::Exercise* const exercise = learn::find_exercise(arguments.at(1));
  if (exercise == nullptr) fail("no exercise is called '{}'", arguments.at(1));
  const bool sanitized = arguments.size() > 4;
#if defined(__linux__)
  ::prctl(PR_SET_PDEATHSIG, SIGKILL);  // in a group of its own: a terminal's Ctrl-\ ends the other process alone
#endif
  watch_over_learner(sanitized);
  limit_memory(kMemoryOfACheck);
  const learn::LearnerFunction f = load_learner(arguments.at(2));
  learn::CheckOptions options;
  options.begin = [](std::string_view name) { say(fmt::format("check {}", name)); };
  options.trying = [](std::string_view title, std::string_view input) {
    say("case " + to_json(OrderedJson{{"title", title}, {"input", input}}));
  };
  const bool only_inside = arguments.at(0) == "debug" && exercise->place != nullptr;
  options.cases = !only_inside;
  options.speed = !only_inside && !sanitized;  // what a sanitizer makes of it says nothing
  // Whole at any time: their code may end this process, or be two, wherever it is. Most often what is found says the
  // same again, and a disk takes its time.
  std::string written;
  const auto write = [&](const learn::Report& report) {
    std::string text = to_json(learn::to_json(report));
    if (text == written) return;
    AtomicFile file(arguments.at(3));
    file.write(text);
    file.commit();
    written = std::move(text);
  };
  options.found = write;
  write(run_checks(*exercise, f, options));
  return 0;
}

}  // namespace

int run_in_child(const std::vector<std::string>& arguments) {
  if (arguments.empty()) return 2;
  if (arguments[0] == "tell" && arguments.size() == 2) {
    watch_over_learner(false);
    limit_memory(memory_of_machine());  // a model's own size is the person's choice
    try {
      const int status = tell(read_tell_request(arguments[1]));
      write_small_file(std::filesystem::path(arguments[1]).parent_path() / kToldFile, "");
      return status;
    } catch (const learn::NotYet& e) {
      fail("{} was solved and is not_yet again: write it anew, or check it once (rung learn check), and it is left out",
           e.what());
    }
  }
  return arguments.size() >= 4 ? check(arguments) : 2;
}

}  // namespace rung
