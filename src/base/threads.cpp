#include "base/threads.h"

#include <algorithm>
#include <cassert>
#include <chrono>
#include <cstdint>
#include <limits>

namespace rung {

namespace {

// A round comes every few microseconds in the decode loop, and waking a sleeper costs more than that: spin a while first. The while is
// a time, because what a spin takes differs forty-fold between processors.
constexpr std::chrono::microseconds kSpinTime{100};
constexpr int kSpinsPerLook = 64;  // at the clock

// Tells the processor that this is a loop that waits: it saves power, leaves a sibling its share of the core, and does not guess ahead.
void relax() {
#if defined(__x86_64__)
  __builtin_ia32_pause();
#elif defined(__aarch64__)
  asm volatile("yield");
#endif
}

// A thread takes a quarter of what is left of a share, so the ranges become ever shorter, and when the work ends, nobody waits for long:
// guided self-scheduling (Polychronopoulos & Kuck 1987).
constexpr std::uint32_t kPart = 4;

struct Range {
  std::uint32_t begin, end;

  static Range unpack(std::uint64_t packed) { return {static_cast<std::uint32_t>(packed >> 32), static_cast<std::uint32_t>(packed)}; }
  std::uint64_t packed() const { return std::uint64_t{begin} << 32 | end; }
  std::uint32_t size() const { return end - begin; }
};

// How much of its share a waiting thread fetches: less than the second-level cache of any processor of these years.
constexpr std::size_t kFetchedBytes = std::size_t{128} << 10;
constexpr std::size_t kCacheLine = 64;

}  // namespace

ThreadTeam::ThreadTeam(std::size_t threads) : size_(std::max<std::size_t>(1, threads)), shares_(std::make_unique<Share[]>(size_)) {
  for (std::size_t i = 1; i < size_; ++i) members_.emplace_back([this, i] { member(i); });
}

ThreadTeam::~ThreadTeam() {
  dissolved_.store(true, std::memory_order_relaxed);
  round_.fetch_add(1, std::memory_order_release);
  round_.notify_all();
  for (std::thread& t : members_) t.join();
}

void ThreadTeam::expect(std::span<const std::byte> bytes) {
  expected_.store(reinterpret_cast<std::uintptr_t>(bytes.data()), std::memory_order_relaxed);
  expected_bytes_.store(bytes.size(), std::memory_order_relaxed);
}

void ThreadTeam::run(std::size_t count, RangeBody body) {
  if (size() == 1 || count <= 1) {
    if (count > 0) body(0, count);
    return;
  }
  assert(count <= std::numeric_limits<std::uint32_t>::max());
  body_ = &body;
  unfinished_.store(static_cast<std::uint32_t>(count), std::memory_order_relaxed);
  for (std::size_t i = 0; i < size(); ++i) {
    const Range share = {static_cast<std::uint32_t>(count * i / size()), static_cast<std::uint32_t>(count * (i + 1) / size())};
    shares_[i].open.store(share.packed(), std::memory_order_release);
  }
  round_.fetch_add(1, std::memory_order_release);
  round_.notify_all();
  take_ranges(0);
  for (std::uint32_t left = unfinished_.load(std::memory_order_acquire); left != 0; left = unfinished_.load(std::memory_order_acquire)) {
    wait_while(unfinished_, left, 0);
  }
}

void ThreadTeam::member(std::size_t self) {
  for (std::uint32_t seen = 0;;) {
    wait_while(round_, seen, self);
    seen = round_.load(std::memory_order_acquire);
    if (dissolved_.load(std::memory_order_relaxed)) return;
    take_ranges(self);
  }
}

void ThreadTeam::take_ranges(std::size_t self) {
  // Told once, because each telling takes the line from another core. All are of one round: until they are told, run() waits.
  std::uint32_t finished = 0;
  for (std::size_t i = 0; i < size(); ++i) {
    std::atomic<std::uint64_t>& shared = shares_[(self + i) % size()].open;
    // A thread that read `open` in an earlier round may take a range of this one: it is a range like any other.
    std::uint64_t open = shared.load(std::memory_order_acquire);
    for (Range left = Range::unpack(open); left.size() > 0; left = Range::unpack(open)) {
      const std::uint32_t some = (left.size() + kPart - 1) / kPart;
      Range taken = left;
      if (i == 0) {
        taken.end = left.begin += some;
      } else {
        taken.begin = left.end -= some;
      }
      if (!shared.compare_exchange_weak(open, left.packed(), std::memory_order_acq_rel, std::memory_order_acquire)) continue;
      (*body_)(taken.begin, taken.end);
      finished += taken.size();
      open = shared.load(std::memory_order_acquire);
    }
  }
  if (finished > 0 && unfinished_.fetch_sub(finished, std::memory_order_acq_rel) == finished) unfinished_.notify_one();
}

void ThreadTeam::wait_while(const std::atomic<std::uint32_t>& value, std::uint32_t old, std::size_t self) const {
  const std::size_t bytes = expected_bytes_.load(std::memory_order_relaxed);
  std::uintptr_t line = expected_.load(std::memory_order_relaxed) + bytes * self / size();
  const std::uintptr_t last = line + std::min(bytes / size(), kFetchedBytes);
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
