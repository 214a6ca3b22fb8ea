#include "base/threads.h"

#include <algorithm>
#include <chrono>
#include <cstdint>

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

// What `open_` says when the team is dissolved: no number of ranges, so that a member who comes late from a round takes none.
constexpr std::uint32_t kNoMore = UINT32_MAX;

// More ranges than threads, so that who comes late, or is held up by the system, finds less to do.
constexpr std::size_t kRangesPerThread = 4;

void wait_while(const std::atomic<std::uint32_t>& value, std::uint32_t old) {
  const auto end = std::chrono::steady_clock::now() + kSpinTime;
  do {
    for (int i = 0; i < kSpinsPerLook; ++i) {
      if (value.load(std::memory_order_acquire) != old) return;
      relax();
    }
  } while (std::chrono::steady_clock::now() < end);
  value.wait(old, std::memory_order_acquire);
}

}  // namespace

ThreadTeam::ThreadTeam(std::size_t threads) {
  for (std::size_t i = 1; i < threads; ++i) members_.emplace_back([this] { member(); });
}

ThreadTeam::~ThreadTeam() {
  open_.store(kNoMore, std::memory_order_release);
  open_.notify_all();
  for (std::thread& t : members_) t.join();
}

void ThreadTeam::run(std::size_t count, RangeBody body) {
  if (members_.empty() || count <= 1) {
    if (count > 0) body(0, count);
    return;
  }
  body_ = &body;
  count_ = count;
  ranges_ = std::min(count, size() * kRangesPerThread);
  unfinished_.store(static_cast<std::uint32_t>(ranges_), std::memory_order_relaxed);
  open_.store(static_cast<std::uint32_t>(ranges_), std::memory_order_release);
  open_.notify_all();
  take_ranges();
  for (std::uint32_t left = unfinished_.load(std::memory_order_acquire); left != 0; left = unfinished_.load(std::memory_order_acquire)) {
    wait_while(unfinished_, left);
  }
}

void ThreadTeam::member() {
  for (;;) {
    wait_while(open_, 0);
    if (open_.load(std::memory_order_acquire) == kNoMore) return;
    take_ranges();
  }
}

void ThreadTeam::take_ranges() {
  // A thread that read `open` in an earlier round may take a range of this one: it is a range like any other.
  std::uint32_t open = open_.load(std::memory_order_acquire);
  while (open != 0 && open != kNoMore) {
    if (!open_.compare_exchange_weak(open, open - 1, std::memory_order_acq_rel, std::memory_order_acquire)) continue;
    const std::size_t index = ranges_ - open;
    (*body_)(count_ * index / ranges_, count_ * (index + 1) / ranges_);
    if (unfinished_.fetch_sub(1, std::memory_order_acq_rel) == 1) unfinished_.notify_one();
    open = open_.load(std::memory_order_acquire);
  }
}

}  // namespace rung
