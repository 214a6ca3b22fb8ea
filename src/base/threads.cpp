#include "base/threads.h"

#include <algorithm>
#include <chrono>
#include <cstdint>
#include <iterator>
#include <limits>
#include <new>
#include <system_error>
#include <utility>

#include "base/error.h"

namespace rung {

namespace {

// A round comes every few microseconds in the decode loop, and waking a sleeper costs more than that: spin a while
// first. The while is a time, because what a spin takes differs forty-fold between processors.
constexpr std::chrono::microseconds kSpinTime{100};
constexpr int kSpinsPerLook = 64;  // at the clock

// Tells the processor that this is a loop that waits: it saves power, leaves a sibling its share of the core, and does
// not guess ahead.
void relax() {
#if defined(__x86_64__)
  __builtin_ia32_pause();
#elif defined(__aarch64__)
  asm volatile("yield");
#endif
}

// A thread takes a quarter of what is left of a share, so the ranges become ever shorter, and when the work ends,
// nobody waits for long: guided self-scheduling (Polychronopoulos & Kuck 1987).
constexpr std::uint32_t kDivisor = 4;

constexpr std::size_t kMostParts = 0xffff;  // they are numbered with 16 bits

// How much of its share a waiting thread fetches: what memory brings in the one or two microseconds between two rounds.
// With more, a thread's own reading finds some lines there and others not, and the processor no longer sees what it
// could fetch ahead (bench/README.md).
constexpr std::size_t kFetchedBytes = std::size_t{32} << 10;
constexpr std::size_t kFetchedInputBytes = std::size_t{4} << 10;  // the processor fetches what follows
constexpr std::size_t kCacheLine = 64;

std::uint32_t bytes_at_most(std::size_t bytes, std::size_t most) {
  return static_cast<std::uint32_t>(std::min(bytes, most));
}

// Asks for the lines of [data, data + bytes), and waits for none.
void fetch(const void* data, std::size_t bytes) {
  const auto begin = reinterpret_cast<std::uintptr_t>(data);
  for (std::uintptr_t line = begin & ~(kCacheLine - 1); line < begin + bytes; line += kCacheLine) {
    __builtin_prefetch(reinterpret_cast<const void*>(line), 0, 3);
  }
}

}  // namespace

struct ThreadTeam::Parts {
  std::uint32_t round;
  std::uint32_t begin, end;

  static Parts unpack(std::uint64_t packed) {
    return {static_cast<std::uint32_t>(packed >> 32), static_cast<std::uint32_t>(packed >> 16 & 0xffff),
            static_cast<std::uint32_t>(packed & 0xffff)};
  }
  std::uint64_t packed() const { return std::uint64_t{round} << 32 | std::uint64_t{begin} << 16 | end; }
  std::uint32_t size() const { return end - begin; }
};

ThreadTeam::ThreadTeam(std::size_t threads)
    : size_(std::max<std::size_t>(1, threads)), shares_(std::make_unique<Share[]>(size_)) {
  try {
    members_.reserve(size_ - 1);
    for (std::size_t i = 1; i < size_; ++i) members_.emplace_back([this, i] { member(i); });
  } catch (const std::system_error& e) {
    const std::size_t started = members_.size() + 1;  // with the caller
    dissolve();
    fail("thread {} of {} cannot be started: {}", started + 1, size_, e.code().message());
  } catch (...) {
    dissolve();
    throw;
  }
}

ThreadTeam::~ThreadTeam() { dissolve(); }

void ThreadTeam::dissolve() {
  dissolved_.store(true, std::memory_order_relaxed);
  round_.number.fetch_add(1, std::memory_order_release);
  round_.number.notify_all();
  for (std::thread& t : members_) t.join();
}

void ThreadTeam::run(std::size_t count, RangeBody body, std::array<Bytes, 2> inputs) {
  if (size() == 1 || count <= 1) {
    try {
      if (count > 0) body(0, count);
    } catch (...) {
      keep_exception();
      rethrow();
    }
    return;
  }
  if (count > std::numeric_limits<std::uint32_t>::max()) {
    fail("a team of threads cannot share {} pieces, expected at most {}", count,
         std::numeric_limits<std::uint32_t>::max());
  }
  const auto parts = static_cast<std::uint32_t>(std::min(count, kMostParts));
  // With release: a member that is still looking for parts of the round before, and reads this, also sees that none of
  // those is open; else it could divide that round's indices by this round's parts.
  round_.parts.store(parts, std::memory_order_release);
  round_.count.store(static_cast<std::uint32_t>(count), std::memory_order_relaxed);
  round_.object.store(body.object_, std::memory_order_relaxed);
  round_.call.store(body.call_, std::memory_order_relaxed);
  for (std::size_t i = 0; i < inputs.size(); ++i) {
    round_.inputs[i].store(inputs[i].data(), std::memory_order_relaxed);
    round_.input_bytes[i].store(bytes_at_most(inputs[i].size(), kFetchedInputBytes), std::memory_order_relaxed);
  }
  round_.expected.store(expected_.data(), std::memory_order_relaxed);
  round_.expected_bytes.store(bytes_at_most(expected_.size(), std::numeric_limits<std::uint32_t>::max()),
                              std::memory_order_relaxed);
  const std::uint32_t before = finished_.load(std::memory_order_relaxed);
  const std::uint32_t round = round_.number.fetch_add(1, std::memory_order_release) + 1;
  round_.number.notify_all();
  const std::uint32_t all_finished = before + parts - take_parts(0, round);
  for (;;) {
    const std::uint32_t finished = finished_.load(std::memory_order_acquire);
    if (finished == all_finished) break;
    wait_while(finished_, finished, 0);
  }
  if (failed_.load(std::memory_order_relaxed)) rethrow();
}

void ThreadTeam::keep_exception() {
  if (!failed_.exchange(true, std::memory_order_relaxed)) exception_ = std::current_exception();
}

// The round is over: nobody else looks at what failed.
void ThreadTeam::rethrow() {
  failed_.store(false, std::memory_order_relaxed);
  try {
    std::rethrow_exception(std::exchange(exception_, nullptr));
  } catch (const std::bad_alloc&) {
    fail("no memory for the work of a thread");
  }
}

void ThreadTeam::member(std::size_t self) {
  for (std::uint32_t seen = 0;;) {
    wait_while(round_.number, seen, self);
    seen = round_.number.load(std::memory_order_acquire);
    if (dissolved_.load(std::memory_order_relaxed)) return;
    fetch_inputs();
    // Told once, because each telling takes the line from another core.
    if (const std::uint32_t finished = take_parts(self, seen); finished > 0) {
      finished_.fetch_add(finished, std::memory_order_acq_rel);
      finished_.notify_one();
    }
  }
}

// How many parts this thread has done.
std::uint32_t ThreadTeam::take_parts(std::size_t self, std::uint32_t round) {
  std::uint32_t finished = 0;
  for (std::size_t i = 0; i < size();) {
    const Parts taken = take_some(self, (self + i) % size(), round);
    if (taken.size() == 0) {
      ++i;
      continue;
    }
    const std::uint64_t parts = round_.parts.load(std::memory_order_relaxed),
                        count = round_.count.load(std::memory_order_relaxed);
    const auto index = [&](std::uint32_t part) { return static_cast<std::size_t>(count * part / parts); };
    try {
      round_.call.load(std::memory_order_relaxed)(round_.object.load(std::memory_order_relaxed), index(taken.begin),
                                                  index(taken.end), self);
    } catch (...) {  // from a thread of its own nobody would catch it, and the caller waits for all parts
      keep_exception();
    }
    finished += taken.size();
  }
  return finished;
}

// Some of what is open of a thread's share: its own from the left, another's from the right.
ThreadTeam::Parts ThreadTeam::take_some(std::size_t self, std::size_t of, std::uint32_t round) {
  std::atomic<std::uint64_t>& shared = shares_[of].open;
  const std::size_t parts = round_.parts.load(std::memory_order_acquire);
  std::uint64_t open = shared.load(std::memory_order_acquire);
  for (;;) {
    Parts left = Parts::unpack(open);
    if (left.round + 1 == round) {
      left = {round, static_cast<std::uint32_t>(parts * of / size()),
              static_cast<std::uint32_t>(parts * (of + 1) / size())};
    } else if (left.round != round || left.size() == 0) {
      return {round, 0, 0};
    }
    const std::uint32_t some = (left.size() + kDivisor - 1) / kDivisor;
    Parts taken = left;
    if (of == self) {
      taken.end = left.begin += some;
    } else {
      taken.begin = left.end -= some;
    }
    if (shared.compare_exchange_weak(open, left.packed(), std::memory_order_acq_rel, std::memory_order_acquire)) {
      return taken;
    }
  }
}

void ThreadTeam::fetch_inputs() const {
  fetch(round_.object.load(std::memory_order_relaxed), kCacheLine);
  for (std::size_t i = 0; i < std::size(round_.inputs); ++i) {
    fetch(round_.inputs[i].load(std::memory_order_relaxed), round_.input_bytes[i].load(std::memory_order_relaxed));
  }
}

void ThreadTeam::wait_while(const std::atomic<std::uint32_t>& value, std::uint32_t old, std::size_t self) const {
  const std::uint64_t bytes = round_.expected_bytes.load(std::memory_order_relaxed);
  const auto expected = reinterpret_cast<std::uintptr_t>(round_.expected.load(std::memory_order_relaxed));
  std::uintptr_t line = expected + static_cast<std::size_t>(bytes * self / size());
  const std::uintptr_t last = line + std::min(static_cast<std::size_t>(bytes) / size(), kFetchedBytes);
  const auto end = std::chrono::steady_clock::now() + kSpinTime;
  do {
    for (int i = 0; i < kSpinsPerLook; ++i) {
      if (value.load(std::memory_order_acquire) != old) return;
      if (line < last) {
        __builtin_prefetch(reinterpret_cast<const void*>(line), 0, 2);
        line += kCacheLine;
      } else {
        relax();
      }
    }
  } while (std::chrono::steady_clock::now() < end);
  value.wait(old, std::memory_order_acquire);
}

}  // namespace rung
