#include "base/threads.h"

#include <algorithm>
#include <fstream>
#include <string>

#ifdef __linux__
#include <sched.h>
#endif

namespace rung {

namespace {

// A round comes every few microseconds in the decode loop, and waking a sleeper costs more than that: spin a while first.
constexpr int kSpins = 2000;

// More ranges than threads, so that who comes late, or is held up by the system, finds less to do.
constexpr std::size_t kRangesPerThread = 4;

void wait_while(const std::atomic<std::uint32_t>& value, std::uint32_t old) {
  for (int i = 0; i < kSpins; ++i) {
    if (value.load(std::memory_order_acquire) != old) return;
  }
  value.wait(old, std::memory_order_acquire);
}

}  // namespace

ThreadTeam::ThreadTeam(std::size_t threads) {
  for (std::size_t i = 1; i < threads; ++i) members_.emplace_back([this] { member(); });
}

ThreadTeam::~ThreadTeam() {
  stop_.store(true, std::memory_order_relaxed);
  open_.store(1, std::memory_order_release);
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
    if (stop_.load(std::memory_order_relaxed)) return;
    take_ranges();
  }
}

void ThreadTeam::take_ranges() {
  // A thread that read `open` in an earlier round may take a range of this one: it is a range like any other.
  std::uint32_t open = open_.load(std::memory_order_acquire);
  while (open != 0) {
    if (!open_.compare_exchange_weak(open, open - 1, std::memory_order_acq_rel, std::memory_order_acquire)) continue;
    const std::size_t index = ranges_ - open;
    (*body_)(count_ * index / ranges_, count_ * (index + 1) / ranges_);
    if (unfinished_.fetch_sub(1, std::memory_order_acq_rel) == 1) unfinished_.notify_one();
    open = open_.load(std::memory_order_acquire);
  }
}

std::size_t usable_processors() {
  std::size_t n = std::max(1u, std::thread::hardware_concurrency());
#ifdef __linux__
  cpu_set_t mask;
  CPU_ZERO(&mask);
  if (sched_getaffinity(0, sizeof(mask), &mask) == 0) n = static_cast<std::size_t>(CPU_COUNT(&mask));
  std::ifstream file("/sys/fs/cgroup/cpu.max");  // control groups, version 2: "quota period" in microseconds, or "max period"
  std::string quota;
  double period = 0;
  if (file >> quota >> period && quota != "max" && period > 0) {
    const double processors = std::strtod(quota.c_str(), nullptr) / period;
    if (processors > 0) n = std::min(n, static_cast<std::size_t>(std::max(1.0, processors)));
  }
#endif
  return std::max<std::size_t>(1, n);
}

}  // namespace rung
