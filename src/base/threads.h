// A team of threads that splits a range of indices among its members.  Milestone M6.
#pragma once

#include <atomic>
#include <cstddef>
#include <cstdint>
#include <memory>
#include <thread>
#include <type_traits>
#include <vector>

namespace rung {

// A view of a callable, like std::function but without ownership or allocation: it is only called while run() waits.
class RangeBody {
 public:
  template <class F>
    requires(!std::is_same_v<std::remove_cvref_t<F>, RangeBody>)
  RangeBody(const F& f)  // NOLINT: implicit on purpose
      : object_(&f), call_([](const void* o, std::size_t begin, std::size_t end) { (*static_cast<const F*>(o))(begin, end); }) {}
  void operator()(std::size_t begin, std::size_t end) const { call_(object_, begin, end); }

 private:
  const void* object_;
  void (*call_)(const void*, std::size_t, std::size_t);
};

class ThreadTeam {
 public:
  explicit ThreadTeam(std::size_t threads);  // the caller is one of them, so threads - 1 are started
  ~ThreadTeam();
  ThreadTeam(const ThreadTeam&) = delete;
  ThreadTeam& operator=(const ThreadTeam&) = delete;

  std::size_t size() const { return members_.size() + 1; }

  // Calls body(begin, end) with disjoint ranges that cover [0, count), some a thread, and returns when all are done. The ranges are fixed
  // by count and size(); who takes which is not: a thread that the system does not run takes none, and nobody waits for it. So the result
  // of a range must not depend on who computes it. `body` must not throw, and must not call run().
  void run(std::size_t count, RangeBody body);

 private:
  void member();
  void take_ranges();

  // Atomics order memory between threads: a store with release makes all that the thread wrote before it visible to whoever reads that
  // value with acquire. `open_`, the ranges that nobody has taken yet, publishes body_, count_ and ranges_ to the members; `unfinished_`
  // publishes their results back. A range that is taken keeps run() waiting, so what it reads stays as it is.
  std::vector<std::thread> members_;
  std::atomic<std::uint32_t> open_{0};
  std::atomic<std::uint32_t> unfinished_{0};
  const RangeBody* body_ = nullptr;
  std::size_t count_ = 0;
  std::size_t ranges_ = 0;
};

}  // namespace rung
