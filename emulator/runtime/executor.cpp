#include "executor.h"

#include <sys/mman.h>

#include <algorithm>
#include <cstdio>
#include <cstring>
#include <mutex>

#include "checker.h"
#include "floating_point.h"
#include "traffic.h"

extern "C" bool msl_approximate;

namespace metal_emulator {
namespace {

constexpr std::size_t arena_bytes = 1 << 20;
constexpr std::size_t gap = 256;  // between two pieces of threadgroup memory, so that an index just past one is seen

std::string coordinates(const unsigned* v) {
  return "(" + std::to_string(v[0]) + "," + std::to_string(v[1]) + "," + std::to_string(v[2]) + ")";
}

unsigned* of(msl::Position& p, msl::Role role) { return p.value[static_cast<int>(role)]; }

std::size_t up_to_16(std::size_t n) { return (n + 15) / 16 * 16; }

}  // namespace

Executor& Executor::instance() {
  static Executor executor;
  return executor;
}

Executor::Executor() : fibers_{fiber_main}, threads_(most_threads), exchanges_(most_simdgroups) {
  arena_ = static_cast<unsigned char*>(
      ::mmap(nullptr, arena_bytes, PROT_READ | PROT_WRITE, MAP_PRIVATE | MAP_ANONYMOUS | MAP_NORESERVE, -1, 0));
  Checker::instance().ignore(fibers_.base(), fibers_.bytes());
}

std::uint64_t Executor::random() {  // xorshift64
  random_ ^= random_ << 13;
  random_ ^= random_ >> 7;
  random_ ^= random_ << 17;
  return random_;
}

template <class T>
void Executor::shuffle(T* values, unsigned count) {
  for (unsigned i = count; i > 1; --i) std::swap(values[i - 1], values[random() % i]);
}

// ---- a dispatch ----

Statistics Executor::run(const Dispatch& dispatch) {
  static std::mutex one_at_a_time;
  const std::lock_guard<std::mutex> lock{one_at_a_time};
  prepare(dispatch);
  const FloatingPoint mode{dispatch.options.flush_denormals};
  run_threadgroups(dispatch);
  Checker::instance().end();
  const std::string findings = Checker::instance().take_findings();
  if (!findings.empty()) throw Fault{findings};
  return statistics_;
}

void Executor::prepare(const Dispatch& dispatch) {
  kernel_ = dispatch.kernel;
  library_ = dispatch.library;
  options_ = dispatch.options;
  statistics_ = {};
  current_ = nullptr;
  fault_.clear();
  variables_.clear();
  arena_used_ = 0;
  random_ = options_.seed * 0x9e3779b97f4a7c15ull + 1;
  msl_approximate = options_.approximate_exp;
  const Size& g = dispatch.threads_per_group;
  const unsigned long threads = static_cast<unsigned long>(g.width) * g.height * g.depth;
  if (threads == 0 || threads > kernel_->max_threads) {
    fail(std::to_string(threads) + " threads in a threadgroup, of " + std::to_string(kernel_->max_threads), nullptr, 0);
  }
  set_constants(dispatch);
  std::vector<Memory> reachable = dispatch.reachable;
  for (const auto& [index, memory] : dispatch.buffers) reachable.push_back(memory);
  Traffic::instance().begin_dispatch(reachable);
  Checker::instance().begin(kernel_->name, dispatch.concurrent, reachable, reinterpret_cast<std::size_t>(arena_),
                            arena_bytes);
  bind(dispatch);
  std::uint64_t other = 0x2545f4914f6cdd1dull;  // one order, unlike the usual one
  for (Exchange& x : exchanges_) {
    x.reorder = options_.reorder_reductions;
    for (unsigned i = 0; i < lanes; ++i) x.order[i] = static_cast<unsigned char>(i);
    for (unsigned i = lanes; i > 1; --i, other = other * 6364136223846793005ull + 1) {
      std::swap(x.order[i - 1], x.order[(other >> 33) % i]);
    }
  }
}

void Executor::set_constants(const Dispatch& dispatch) {
  if (!library_) return;
  for (msl::Constant* c = library_->constants(); c; c = c->next) {
    std::memset(c->address, 0, c->size);
    c->is_set = false;
  }
  for (msl::Constant* c = library_->constants(); c; c = c->next) {
    if (c->derive) {
      c->derive();
      continue;
    }
    const auto found = dispatch.constants.find(static_cast<unsigned>(c->index));
    if (found == dispatch.constants.end()) continue;
    if (found->second.size() != c->size) {
      fail(std::string{"function constant '"} + c->name + "' has " + std::to_string(c->size) + " bytes, is set to " +
               std::to_string(found->second.size()),
           nullptr, 0);
    }
    std::memcpy(c->address, found->second.data(), c->size);
    c->is_set = true;
  }
}

void Executor::bind(const Dispatch& dispatch) {
  bindings_ = {};
  bound_threadgroup_memory_.clear();
  for (const auto& [index, memory] : dispatch.buffers) {
    if (index < msl::slot_count) bindings_.buffer[index] = memory.data;
  }
  for (const auto& [index, bytes] : dispatch.threadgroup_bytes) {
    if (bytes % 16 != 0) fail("threadgroup memory of a length that is no multiple of 16", nullptr, 0);
    bindings_.threadgroup[index] = allocate(bytes);
    Checker::instance().allow_threadgroup_memory(bindings_.threadgroup[index], bytes, false);
  }
  for (int i = 0; i < kernel_->argument_count; ++i) {
    const msl::Argument& a = kernel_->arguments[i];
    if (a.enabled && !*static_cast<const bool*>(a.enabled)) continue;
    if (a.role == msl::Role::threadgroup_memory && !bindings_.threadgroup[a.index]) {
      fail(std::string{"no length is set for threadgroup memory '"} + a.name + "'", nullptr, 0);
    }
    if (a.role != msl::Role::buffer) continue;
    const auto found = dispatch.buffers.find(a.index);
    if (found == dispatch.buffers.end() || !found->second.data) {
      fail(std::string{"nothing is bound to '"} + a.name + "', buffer " + std::to_string(a.index), nullptr, 0);
    }
    if (found->second.bytes < a.size) {
      fail(std::string{"'"} + a.name + "' has " + std::to_string(a.size) + " bytes, " +
               std::to_string(found->second.bytes) + " are bound",
           nullptr, 0);
    }
  }
}

void Executor::run_threadgroups(const Dispatch& dispatch) {
  Size groups = dispatch.groups;
  const Size& t = dispatch.threads_per_group;
  if (dispatch.counts_threads) {
    groups = {(groups.width + t.width - 1) / t.width, (groups.height + t.height - 1) / t.height,
              (groups.depth + t.depth - 1) / t.depth};
  }
  const std::size_t total = static_cast<std::size_t>(groups.width) * groups.height * groups.depth;
  std::vector<std::size_t> order(total);
  for (std::size_t i = 0; i < total; ++i) order[i] = i;
  if (options_.seed) shuffle(order.data(), static_cast<unsigned>(total));
  for (const std::size_t i : order) {
    const Size at{static_cast<unsigned>(i % groups.width), static_cast<unsigned>(i / groups.width % groups.height),
                  static_cast<unsigned>(i / groups.width / groups.height)};
    Size size = t;
    if (dispatch.counts_threads) {
      size.width = std::min(t.width, dispatch.groups.width - at.width * t.width);
      size.height = std::min(t.height, dispatch.groups.height - at.height * t.height);
      size.depth = std::min(t.depth, dispatch.groups.depth - at.depth * t.depth);
    }
    for (const auto& [index, bytes] : dispatch.threadgroup_bytes)
      std::memset(bindings_.threadgroup[index], 0xff, bytes);
    make_threads(at, size, dispatch, groups);
    Checker::instance().begin_threadgroup();
    Traffic::instance().begin_threadgroup();
    Checker::instance().set_on(true);
    run_threadgroup();
    Checker::instance().set_on(false);
  }
}

void Executor::make_threads(const Size& group, const Size& size, const Dispatch& dispatch, const Size& groups) {
  using msl::Role;
  thread_count_ = size.width * size.height * size.depth;
  simdgroup_count_ = (thread_count_ + lanes - 1) / lanes;
  const Size& full = dispatch.threads_per_group;
  const unsigned at[3] = {group.width, group.height, group.depth}, whole[3] = {full.width, full.height, full.depth};
  const unsigned here[3] = {size.width, size.height, size.depth}, all[3] = {groups.width, groups.height, groups.depth};
  const unsigned asked[3] = {dispatch.groups.width, dispatch.groups.height, dispatch.groups.depth};
  for (unsigned i = 0; i < thread_count_; ++i) {
    Thread& t = threads_[i];
    t.fiber = nullptr;
    t.state = State::ready;
    t.index = i;
    t.lane = i % lanes;
    t.simdgroup = i / lanes;
    const unsigned within[3] = {i % here[0], i / here[0] % here[1], i / here[0] / here[1]};
    for (int d = 0; d < 3; ++d) {
      of(t.position, Role::thread_position_in_threadgroup)[d] = within[d];
      of(t.position, Role::threadgroup_position_in_grid)[d] = at[d];
      of(t.position, Role::thread_position_in_grid)[d] = at[d] * whole[d] + within[d];
      of(t.position, Role::threads_per_threadgroup)[d] = here[d];
      of(t.position, Role::threadgroups_per_grid)[d] = all[d];
      of(t.position, Role::threads_per_grid)[d] = dispatch.counts_threads ? asked[d] : all[d] * whole[d];
    }
    of(t.position, Role::thread_index_in_threadgroup)[0] = i;
    of(t.position, Role::thread_index_in_simdgroup)[0] = t.lane;
    of(t.position, Role::thread_index_in_quadgroup)[0] = i % 4;
    of(t.position, Role::simdgroup_index_in_threadgroup)[0] = t.simdgroup;
    of(t.position, Role::quadgroup_index_in_threadgroup)[0] = i / 4;
    of(t.position, Role::threads_per_simdgroup)[0] = lanes;
    of(t.position, Role::simdgroups_per_threadgroup)[0] = simdgroup_count_;
    of(t.position, Role::quadgroups_per_threadgroup)[0] = (thread_count_ + 3) / 4;
  }
  for (ThreadgroupVariable& v : variables_) v.seen = false;
  statistics_.threads += thread_count_;
  ++statistics_.threadgroups;
}

// ---- a threadgroup ----

void Executor::run_threadgroup() {
  unsigned order[most_simdgroups];
  for (unsigned i = 0; i < simdgroup_count_; ++i) order[i] = i;
  do {
    if (options_.seed) shuffle(order, simdgroup_count_);
    for (unsigned i = 0; i < simdgroup_count_; ++i) run_simdgroup(order[i]);
  } while (release_barrier());
}

// All threads are finished or stand at a threadgroup barrier. False: all are finished.
bool Executor::release_barrier() {
  Thread* first = nullptr;
  unsigned waiting = 0;
  for (unsigned i = 0; i < thread_count_; ++i) {
    if (threads_[i].state != State::threadgroup_barrier) continue;
    ++waiting;
    if (!first) first = &threads_[i];
  }
  if (!first) return false;
  if (waiting != thread_count_) {
    current_ = first;
    fail("threadgroup_barrier reached by " + std::to_string(waiting) + " of " + std::to_string(thread_count_) +
             " threads, the rest returned",
         first->file, first->line);
  }
  for (unsigned i = 0; i < thread_count_; ++i) {
    Thread& t = threads_[i];
    if (t.line != first->line || t.file != first->file) {
      current_ = &t;
      fail("threads wait at different threadgroup_barriers, others at line " + std::to_string(first->line), t.file,
           t.line);
    }
    t.state = State::ready;
  }
  ++statistics_.barriers;
  Checker::instance().barrier(first->flags);
  return true;
}

// ---- a SIMD group ----

// Runs its lanes until each stands at a threadgroup barrier or is finished.
void Executor::run_simdgroup(unsigned simdgroup) {
  Thread* const lane = &threads_[simdgroup * lanes];
  const unsigned count = std::min(lanes, thread_count_ - simdgroup * lanes);
  unsigned order[lanes];
  for (unsigned i = 0; i < count; ++i) order[i] = i;
  for (;;) {
    if (options_.seed) shuffle(order, count);
    for (unsigned i = 0; i < count; ++i) {
      if (lane[order[i]].state == State::ready) resume(lane[order[i]]);
    }
    // Every lane waits now. Lanes that went different ways meet where the source goes on first, as on a GPU.
    Thread* first = nullptr;
    for (unsigned i = 0; i < count; ++i) {
      const State s = lane[i].state;
      if ((s == State::together || s == State::simdgroup_barrier) && (!first || lane[i].line < first->line)) {
        first = &lane[i];
      }
    }
    if (!first) return;
    resolve(simdgroup, *first);
  }
}

// Lanes that wait where `first` does see what each of them brought, and go on.
void Executor::resolve(unsigned simdgroup, Thread& first) {
  Thread* const lane = &threads_[simdgroup * lanes];
  const unsigned count = std::min(lanes, thread_count_ - simdgroup * lanes);
  Exchange& x = exchanges_[simdgroup];
  const State state = first.state;
  unsigned active = 0;
  for (unsigned i = 0; i < count; ++i) {
    const Thread& t = lane[i];
    const bool is_here = t.state == state && t.line == first.line && t.file == first.file && t.bytes == first.bytes;
    if (is_here) active |= 1u << i;
  }
  check_divergence(simdgroup, first, active);
  const unsigned flags = first.flags;
  for (unsigned i = 0; i < count; ++i) {
    if (!(active >> i & 1)) continue;
    if (state == State::together) std::memcpy(x.in[i], lane[i].in, lane[i].bytes);
    lane[i].state = State::ready;
  }
  x.active = active;
  x.done = 0;
  ++statistics_.simd_operations;
  Traffic::instance().together(simdgroup);
  if (state == State::simdgroup_barrier) Checker::instance().simdgroup_barrier(simdgroup, flags);
}

void Executor::check_divergence(unsigned simdgroup, const Thread& first, unsigned active) {
  const unsigned count = std::min(lanes, thread_count_ - simdgroup * lanes);
  const unsigned all = count == lanes ? ~0u : (1u << count) - 1;
  unsigned wanted = all;
  if (first.state == State::together && first.width == 4) {  // of each quad that is here, every lane
    wanted = 0;
    for (unsigned i = 0; i < lanes; i += 4) {
      if (active >> i & 15) wanted |= 15u << i;
    }
    wanted &= all;
  }
  if (active == wanted) return;
  ++statistics_.divergent;
  if (!options_.strict) return;
  current_ = const_cast<Thread*>(&first);
  char masks[64];
  std::snprintf(masks, sizeof masks, " by lanes %08x of %08x", active, wanted);
  const char* what = first.state == State::together ? "SIMD operation reached" : "simdgroup_barrier reached";
  fail(std::string{what} + masks, first.file, first.line);
}

// ---- threads ----

void Executor::fiber_main() {
  for (;;) {
    Executor& x = instance();
    x.kernel_->run(x.bindings_, x.current_->position);
    x.current_->state = State::done;
    x.to_scheduler();
  }
}

void Executor::resume(Thread& thread) {
  if (!thread.fiber) thread.fiber = fibers_.take();
  current_ = &thread;
  Checker::instance().running(thread.index);
  msl_switch_stack(&scheduler_, thread.fiber->stack_pointer);
  if (!fault_.empty()) throw_fault();
  current_ = nullptr;
  if (thread.state == State::done) {
    fibers_.give_back(thread.fiber);
    thread.fiber = nullptr;
  }
}

void Executor::to_scheduler() { msl_switch_stack(&current_->fiber->stack_pointer, scheduler_); }

void Executor::wait(State state, unsigned flags, const char* file, unsigned line) {
  current_->state = state;
  current_->flags = flags;
  current_->bytes = 0;
  current_->width = lanes;
  current_->file = file;
  current_->line = line;
  to_scheduler();
}

Exchange* Executor::together(const void* in, unsigned bytes, unsigned width, const char* file, unsigned line) {
  Thread& t = *current_;
  t.state = State::together;
  t.in = in;
  t.bytes = bytes;
  t.width = width;
  t.file = file;
  t.line = line;
  to_scheduler();
  return &exchanges_[t.simdgroup];
}

void Executor::absent_lane(unsigned lane, const char* file, unsigned line) {
  ++statistics_.absent_lanes;
  if (options_.strict) fail("shuffle from lane " + std::to_string(lane) + ", which is not there", file, line);
}

void* Executor::threadgroup_variable(unsigned line, unsigned index, std::size_t bytes, bool zero) {
  for (ThreadgroupVariable& v : variables_) {
    if (v.line != line || v.index != index || v.bytes != bytes) continue;
    if (!v.seen) std::memset(v.memory, zero ? 0 : 0xff, bytes);  // all ones: NaN as a float, -1 as an index
    v.seen = true;
    return v.memory;
  }
  void* const memory = allocate(bytes);
  std::memset(memory, zero ? 0 : 0xff, bytes);
  Checker::instance().allow_threadgroup_memory(memory, bytes, zero);
  variables_.push_back({line, index, bytes, memory, true});
  return memory;
}

void* Executor::allocate(std::size_t bytes) {
  statistics_.threadgroup_bytes += bytes;
  if (statistics_.threadgroup_bytes > most_threadgroup_bytes) {
    fail(std::to_string(statistics_.threadgroup_bytes) + " bytes of threadgroup memory, expected at most " +
             std::to_string(most_threadgroup_bytes),
         nullptr, 0);
  }
  arena_used_ += gap;
  void* const memory = arena_ + arena_used_;
  arena_used_ += up_to_16(bytes);
  if (arena_used_ + gap > arena_bytes) fail("too many pieces of threadgroup memory for the emulator", nullptr, 0);
  return memory;
}

bool Executor::constant_is_set(const void* address) const {
  for (const msl::Constant* c = library_ ? library_->constants() : nullptr; c; c = c->next) {
    if (c->address == address) return c->is_set;
  }
  return false;
}

// ---- faults ----

void Executor::fail(const std::string& what, const char* file, unsigned line) {
  fault_ = std::string{"kernel "} + kernel_->name + ": " + what;
  if (file) fault_ += ", " + std::string{file} + ":" + std::to_string(line);
  if (current_) {
    msl::Position& p = current_->position;
    fault_ += ", threadgroup " + coordinates(of(p, msl::Role::threadgroup_position_in_grid)) + " thread " +
              std::to_string(current_->index) + " (SIMD group " + std::to_string(current_->simdgroup) + ", lane " +
              std::to_string(current_->lane) + ")";
  }
  if (!scheduler_ || !current_ || !current_->fiber || current_->state != State::ready) throw_fault();
  to_scheduler();  // and never back
  __builtin_unreachable();
}

void Executor::throw_fault() {
  const std::string what = fault_;
  fault_.clear();
  current_ = nullptr;
  scheduler_ = nullptr;
  fibers_.forget_all();
  Checker::instance().set_on(false);
  Checker::instance().end();
  const std::string findings = Checker::instance().take_findings();
  throw Fault{findings.empty() ? what : findings + "\n" + what};
}

Statistics run(const Dispatch& dispatch) { return Executor::instance().run(dispatch); }

}  // namespace metal_emulator
