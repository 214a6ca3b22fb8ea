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

void wait_while(const std::atomic<std::uint32_t>& value, std::uint32_t old) {
  for (int i = 0; i < kSpins; ++i) {
    if (value.load(std::memory_order_acquire) != old) return;
  }
  value.wait(old, std::memory_order_acquire);
}

}  // namespace

ThreadTeam::ThreadTeam(std::size_t threads) {
  for (std::size_t i = 1; i < threads; ++i) members_.emplace_back([this, i] { member(i); });
}

ThreadTeam::~ThreadTeam() {
  stop_.store(true, std::memory_order_relaxed);
  round_.fetch_add(1, std::memory_order_release);
  round_.notify_all();
  for (std::thread& t : members_) t.join();
}

void ThreadTeam::run(std::size_t count, RangeBody body) {
  body_ = &body;
  count_ = count;
  if (members_.empty() || count <= 1) {
    if (count > 0) body(0, count);
    return;
  }
  busy_.store(static_cast<std::uint32_t>(members_.size()), std::memory_order_relaxed);
  round_.fetch_add(1, std::memory_order_release);
  round_.notify_all();
  work(0);
  for (std::uint32_t left = busy_.load(std::memory_order_acquire); left != 0; left = busy_.load(std::memory_order_acquire)) {
    wait_while(busy_, left);
  }
}

void ThreadTeam::member(std::size_t index) {
  std::uint32_t seen = 0;
  for (;;) {
    wait_while(round_, seen);
    ++seen;  // run() waits for every member, so no round is ever missed
    if (stop_.load(std::memory_order_relaxed)) return;
    work(index);
    if (busy_.fetch_sub(1, std::memory_order_acq_rel) == 1) busy_.notify_one();
  }
}

void ThreadTeam::work(std::size_t index) const {
  const std::size_t begin = count_ * index / size();
  const std::size_t end = count_ * (index + 1) / size();
  if (begin < end) (*body_)(begin, end);
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
