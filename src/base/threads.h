// A team of threads that splits a range of indices among its members.  Milestone M6.
#pragma once

#include <array>
#include <atomic>
#include <cstddef>
#include <cstdint>
#include <exception>
#include <memory>
#include <span>
#include <thread>
#include <type_traits>
#include <vector>

namespace rung {

// A view of a callable, like std::function but without ownership or allocation: it is only called while run() waits.
// It takes (begin, end), or (begin, end, member) where each thread needs room of its own: which of the team calls it.
class RangeBody {
 public:
  template <class F>
    requires(!std::is_same_v<std::remove_cvref_t<F>, RangeBody>)
  RangeBody(const F& f)  // NOLINT: implicit on purpose
      : object_(&f), call_([](const void* o, std::size_t begin, std::size_t end, std::size_t member) {
          if constexpr (std::is_invocable_v<const F&, std::size_t, std::size_t, std::size_t>) {
            (*static_cast<const F*>(o))(begin, end, member);
          } else {
            (*static_cast<const F*>(o))(begin, end);
          }
        }) {}
  void operator()(std::size_t begin, std::size_t end, std::size_t member = 0) const {
    call_(object_, begin, end, member);
  }

 private:
  friend class ThreadTeam;
  using Call = void(const void*, std::size_t, std::size_t, std::size_t);
  const void* object_;
  Call* call_;
};

class ThreadTeam {
 public:
  // The caller is one of them, member 0, so threads - 1 are started. Throws Error: one that the system does not start.
  explicit ThreadTeam(std::size_t threads);
  ~ThreadTeam();
  ThreadTeam(const ThreadTeam&) = delete;
  ThreadTeam& operator=(const ThreadTeam&) = delete;

  std::size_t size() const { return size_; }

  using Bytes = std::span<const std::byte>;

  // Calls body(begin, end) with disjoint ranges that cover [0, count), count < 2³², and returns when all are done. Each
  // thread goes through its own share from left to right, then helps the others from the right, so that nobody waits
  // for a thread that the system does not run. Who takes what is left to the moment: the result of an index must not
  // depend on the range that it came in, and what a member needs is made before. `body` must not call run(). `inputs`:
  // what every range reads, where that was just written; a thread fetches their beginnings as it comes.
  // When ranges throw, the others are done all the same; then the first exception is thrown here, std::bad_alloc as
  // Error: no memory in a thread.
  void run(std::size_t count, RangeBody body, std::array<Bytes, 2> inputs = {});

  // What the run() after the next will read, its first index first, if the caller's guess is right: while a thread
  // waits for it, it fetches the beginning of its share of these bytes into its cache. They are not read: what is gone
  // meanwhile does no harm.
  void announce(Bytes bytes) { expected_ = bytes; }

 private:
  // A round of the team, in one cache line, because each line that a thread wrote takes up to 200 ns to come to another
  // one. All are atomic: a thread that comes late may read what is already the next round's; then no share is open to
  // it.
  struct alignas(64) Round {
    std::atomic<std::uint32_t> number{0};  // written last: wakes the members
    std::atomic<std::uint32_t> parts{0};   // what is taken: part i is the indices [count·i/parts, count·(i + 1)/parts)
    std::atomic<std::uint32_t> count{0};
    std::atomic<std::uint32_t> expected_bytes{0}, input_bytes[2] = {};
    std::atomic<const void*> object{nullptr};
    std::atomic<RangeBody::Call*> call{nullptr};
    std::atomic<const std::byte*> expected{nullptr}, inputs[2] = {};
  };
  static_assert(sizeof(Round) == 64);

  // The parts of a share that nobody has taken yet, and of which round they are: number·2³² + begin·2¹⁶ + end. Nothing
  // is written here to begin a round: whoever first looks at a share of the round before makes it one of this. The
  // caller looks at every share before run() returns; so in a round each share is of that round, or of the one before
  // and empty. Alone in its line, which its owner rarely loses.
  struct alignas(64) Share {
    std::atomic<std::uint64_t> open{0};
  };
  struct Parts;

  void member(std::size_t self);
  void dissolve();
  void keep_exception();
  [[noreturn]] void rethrow();
  std::uint32_t take_parts(std::size_t self, std::uint32_t round);
  Parts take_some(std::size_t self, std::size_t of, std::uint32_t round);
  void fetch_inputs() const;
  void wait_while(const std::atomic<std::uint32_t>& value, std::uint32_t old, std::size_t self) const;

  Bytes expected_;  // which the caller writes between two rounds: not in the line of what members read

  // Atomics order memory between threads: a store with release makes all that the thread wrote before it visible to
  // whoever reads that value with acquire. `round_.number` publishes a round to the members, `finished_` their results
  // back. A part that is taken keeps run() waiting, so the round stays as it is until the part is done.
  alignas(64) const std::size_t size_;
  std::vector<std::thread> members_;
  std::unique_ptr<Share[]> shares_;  // [size()]
  std::atomic<bool> dissolved_{false};
  std::atomic<bool> failed_{false};  // in this round; by whom is `exception_`
  std::exception_ptr exception_;
  Round round_;
  alignas(64) std::atomic<std::uint32_t> finished_{0};  // parts that members have done, since the team was made
};

}  // namespace rung
