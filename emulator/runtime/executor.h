// One dispatch at a time: its threadgroups one after the other, each with its threads on fibers.
#pragma once

#include <cstdint>
#include <string>
#include <vector>

#include "../emulator.h"
#include "fiber.h"

namespace metal_emulator {

// As shim/msl/base.h has it.
struct Exchange {
  unsigned active;
  unsigned done;
  unsigned reorder;
  unsigned char order[32];
  alignas(64) unsigned char in[32][64];
  alignas(64) unsigned char out[1024];
};

constexpr unsigned lanes = 32;
constexpr unsigned most_threads = 1024;
constexpr unsigned most_simdgroups = most_threads / lanes;
constexpr std::size_t most_threadgroup_bytes = 32768;  // what every Apple GPU has

enum class State : unsigned char { ready, together, simdgroup_barrier, threadgroup_barrier, done };

// A GPU thread: what it waits for, and where in the kernel's source.
struct Thread {
  Fiber* fiber = nullptr;
  State state = State::ready;
  unsigned index = 0, lane = 0, simdgroup = 0;
  unsigned flags = 0;        // of a barrier
  const void* in = nullptr;  // what it brings to a collective,
  unsigned bytes = 0, width = 0;
  const char* file = nullptr;
  unsigned line = 0;
  msl::Position position{};
};

struct ThreadgroupVariable {
  unsigned line, index;
  std::size_t bytes;
  void* memory;
  bool seen;  // by a thread of this threadgroup
};

class Executor {
 public:
  static Executor& instance();
  Statistics run(const Dispatch& dispatch);

  // What the kernels call, through collectives.cpp:
  unsigned lane() const { return current_->lane; }
  unsigned thread() const { return current_->index; }
  void wait(State state, unsigned flags, const char* file, unsigned line);
  Exchange* together(const void* in, unsigned bytes, unsigned width, const char* file, unsigned line);
  void absent_lane(unsigned lane, const char* file, unsigned line);
  void* threadgroup_variable(unsigned line, unsigned index, std::size_t bytes, bool zero);
  [[noreturn]] void fail(const std::string& what, const char* file, unsigned line);
  bool constant_is_set(const void* address) const;
  bool stops_outside() const { return options_.stop_outside; }

 private:
  Executor();
  static void fiber_main();
  void prepare(const Dispatch& dispatch);
  void set_constants(const Dispatch& dispatch);
  void bind(const Dispatch& dispatch);
  void run_threadgroups(const Dispatch& dispatch);
  void make_threads(const Size& group, const Size& size, const Dispatch& dispatch, const Size& groups);
  void run_threadgroup();
  void run_simdgroup(unsigned simdgroup);
  bool release_barrier();
  void resolve(unsigned simdgroup, Thread& first);
  void check_divergence(unsigned simdgroup, const Thread& first, unsigned active);
  void resume(Thread& thread);
  void to_scheduler();
  void* allocate(std::size_t bytes);
  std::uint64_t random();
  template <class T>
  void shuffle(T* values, unsigned count);
  [[noreturn]] void throw_fault();

  FiberPool fibers_;
  std::vector<Thread> threads_;
  std::vector<Exchange> exchanges_;
  std::vector<ThreadgroupVariable> variables_;
  std::vector<unsigned char*> bound_threadgroup_memory_;
  unsigned char* arena_ = nullptr;
  std::size_t arena_used_ = 0;
  const msl::Kernel* kernel_ = nullptr;
  const Library* library_ = nullptr;
  Options options_;
  Statistics statistics_;
  msl::Bindings bindings_{};
  Thread* current_ = nullptr;
  void* scheduler_ = nullptr;  // its stack pointer, while a thread runs
  unsigned thread_count_ = 0, simdgroup_count_ = 0;
  std::uint64_t random_ = 1;
  std::string fault_;
};

}  // namespace metal_emulator
