// A team of threads that splits a range of indices among its members.  Milestone M6.
#pragma once

#include <atomic>
#include <cstddef>
#include <cstdint>
#include <memory>
#include <span>
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

  std::size_t size() const { return size_; }

  // Calls body(begin, end) with disjoint ranges that cover [0, count), count < 2³², and returns when all are done. Each thread goes through
  // its own share from left to right, then helps the others from the right, so that nobody waits for a thread that the system does not
  // run. Who takes what is left to the moment: the result of an index must not depend on the range that it came in. `body` must not throw,
  // and must not call run().
  void run(std::size_t count, RangeBody body);

  // What the next run() will read, its first index first, if the caller's guess is right: while a thread waits, it fetches the beginning
  // of its share of these bytes into its cache. They are not read: what is gone meanwhile does no harm.
  void expect(std::span<const std::byte> bytes);

 private:
  // The indices of a share that nobody has taken yet, begin·2³² + end: alone in its cache line, which its owner then rarely loses to
  // another core.
  struct alignas(64) Share {
    std::atomic<std::uint64_t> open{0};
  };

  void member(std::size_t self);
  void take_ranges(std::size_t self);
  void wait_while(const std::atomic<std::uint32_t>& value, std::uint32_t old, std::size_t self) const;

  // Atomics order memory between threads: a store with release makes all that the thread wrote before it visible to whoever reads that
  // value with acquire. `open` publishes body_ to whoever takes a range; `unfinished_` publishes the results back. A range that is taken
  // keeps run() waiting, so what it reads stays as it is. `round_` wakes the members.
  const std::size_t size_;
  std::vector<std::thread> members_;
  std::unique_ptr<Share[]> shares_;  // [size()]
  std::atomic<std::uint32_t> round_{0};
  std::atomic<std::uint32_t> unfinished_{0};
  std::atomic<bool> dissolved_{false};
  std::atomic<std::uintptr_t> expected_{0};
  std::atomic<std::size_t> expected_bytes_{0};
  const RangeBody* body_ = nullptr;
};

}  // namespace rung
