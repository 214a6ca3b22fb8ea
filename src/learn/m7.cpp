// The exercise of milestone M7: a kernel in the Metal Shading Language. What it gives is said here in C++, thread by
// thread where a mistake wants it; the kernel itself is run by emulator/ (course/exercises/kernel_entry.h).
#include <algorithm>
#include <cmath>
#include <limits>
#include <utility>

#include "kernels/scalar/scalar.h"
#include "learn/exercise.h"
#include "learn/in_parts.h"
#include "learn/seams.h"

namespace rung::learn {

// ---- m7-kernel: softmax, a threadgroup a row ----
namespace kernel {
namespace {

using In = std::span<const float>;
using Out = std::span<float>;

constexpr const char* kPage = "m7-metal#one-kernel-whole";
constexpr const char* kBarrierPage = "m7-metal#what-must-not-be-missing";
constexpr std::size_t kSimd = 32;
constexpr float kNoNumberYet = -std::numeric_limits<float>::infinity();

void reference(Out out, In x, std::size_t columns, std::size_t rows, std::size_t, std::size_t) {
  std::copy(x.begin(), x.end(), out.begin());
  for (std::size_t r = 0; r < rows; ++r) {
    const Out row = out.subspan(r * columns, columns);
    const float sum = scalar::kernels.exponentiate(row.data(), columns).sum;
    for (float& value : row) value /= sum;
  }
}

// A row with mistakes in it: whose scores a thread's largest one is chosen from, whose powers its sum is of.
struct Mistaken {
  // Whether thread t hears of what thread `other` has seen.
  bool (*hears_largest)(std::size_t t, std::size_t other) = [](std::size_t, std::size_t) { return true; };
  bool (*hears_sum)(std::size_t t, std::size_t other) = [](std::size_t, std::size_t) { return true; };
  float begins_at = kNoNumberYet;
  bool takes_largest = true, divides = true, leaves_tail = false;
};

void row_with(const Mistaken& how, Out out, In x, std::size_t threads) {
  const std::size_t end = how.leaves_tail ? x.size() / threads * threads : x.size();
  const auto largest_of = [&](std::size_t t) {
    float largest = how.begins_at;
    for (std::size_t j = 0; j < end; ++j) {
      if (how.hears_largest(t, j % threads)) largest = std::max(largest, x[j]);
    }
    return how.takes_largest ? largest : 0;
  };
  std::vector<float> largest(std::min(threads, x.size()));  // of each thread that has something to do
  for (std::size_t t = 0; t < largest.size(); ++t) largest[t] = largest_of(t);
  for (std::size_t i = 0; i < end; ++i) {
    const std::size_t t = i % threads;
    float sum = 0;
    for (std::size_t j = 0; j < end; ++j) {
      if (how.hears_sum(t, j % threads)) sum += std::exp(x[j] - largest[j % threads]);
    }
    out[i] = std::exp(x[i] - largest[t]) / (how.divides ? sum : 1);
  }
}

template <const Mistaken& how>
void mistaken(Out out, In x, std::size_t columns, std::size_t rows, std::size_t threads, std::size_t) {
  for (std::size_t r = 0; r < rows; ++r) {
    row_with(how, out.subspan(r * columns, columns), x.subspan(r * columns, columns), threads);
  }
}

bool same_simd_group(std::size_t t, std::size_t other) { return t / kSimd == other / kSimd; }
bool first_simd_group(std::size_t, std::size_t other) { return other < kSimd; }
bool itself(std::size_t t, std::size_t other) { return t == other; }

constexpr Mistaken kOneSimdGroup{.hears_sum = same_simd_group};
constexpr Mistaken kFirstSimdGroupOnly{.hears_sum = first_simd_group};
constexpr Mistaken kThreadAlone{.hears_sum = itself};
constexpr Mistaken kMaximumOfOneGroup{.hears_largest = same_simd_group};
constexpr Mistaken kTailLeftOut{.leaves_tail = true};
constexpr Mistaken kNoMaximum{.takes_largest = false};
constexpr Mistaken kFromZero{.begins_at = 0};
constexpr Mistaken kNotDivided{.divides = false};

// What the emulator says of those that no number shows.
constexpr const char* kRaceAfterRead = "write unordered after a read (threadgroup memory)";
constexpr const char* kRaceAfterWrite = "read unordered after a write (threadgroup memory)";
constexpr const char* kWrittenTwice = "write unordered after a write (threadgroup memory)";
constexpr const char* kNeverWritten = "read of threadgroup memory that was never written";
constexpr const char* kOutsideBuffers = "outside of every buffer (device memory)";
constexpr const char* kOutsideGroup = "outside of threadgroup memory";
constexpr const char* kOutOfArray = "an index is out of its array's bounds";
constexpr const char* kSimdDiverges = "SIMD operation reached by lanes";
constexpr const char* kBarrierDiverges = "threadgroup_barrier reached by";
constexpr const char* kOtherBarrier = "threads wait at different threadgroup_barriers";
constexpr const char* kOtherGroup = "of another threadgroup";
constexpr const char* kPlaceTwice = "write unordered after a write (device memory)";

template <const char* const& finding>
void faults(Out, In, std::size_t, std::size_t, std::size_t, std::size_t) {
  throw KernelFault(finding);
}

std::vector<Argument> arguments(std::vector<float> x, std::size_t rows, std::size_t threads, std::size_t order = 0) {
  const std::size_t columns = x.size() / rows;
  std::vector<std::size_t> shape = rows == 1 ? std::vector<std::size_t>{} : std::vector{rows, columns};
  return {output("out", x.size(), shape),
          {"x", std::move(x), shape},
          {"columns", static_cast<double>(columns)},
          {"rows", static_cast<double>(rows)},
          {"threads", static_cast<double>(threads)},
          {"order", static_cast<double>(order)}};
}

std::vector<Case> by_hand() {
  return {
      {.title = "two scores: thread 0 takes one, thread 1 the other",
       .arguments = arguments({0, 1.0986123f}, 1, 32),
       .expected = {{std::vector<float>{0.25f, 0.75f}}},
       .arithmetic = "the largest, 1.0986, taken away: −1.0986, 0\ne^…: 1/3 and 1, together 4/3\n"
                     "of 32 threads 30 have nothing to do: they bring −∞ to the maximum and 0 to the sum"},
      {.title = "scores far below zero",
       .arguments = arguments({-200, -200}, 1, 32),
       .expected = {{std::vector<float>{0.5f, 0.5f}}},
       .arithmetic = "the largest, −200, taken away: 0, 0\ne^0 = 1 twice, together 2\n1 / 2, 1 / 2"},
      {.title = "large scores",
       .arguments = arguments({1000, 1001, 1002}, 1, 32),
       .expected = {{std::vector<float>{0.0900306f, 0.2447285f, 0.6652410f}}},
       .arithmetic = "the largest, 1002, taken away: −2, −1, 0\ne^…: 0.135335, 0.367879, 1, together 1.503215"},
      {.title = "40 places for 32 threads",
       .arguments = arguments(std::vector<float>(40, 1), 1, 32),
       .expected = {{std::vector<float>(40, 1.0f / 40)}},
       .arithmetic = "threads 0 to 7 take two places (0 and 32, 1 and 33, …), the others one\n"
                     "e^0 = 1, forty times: 8 · 2 + 24 = 40\n1 / 40 = 0.025"},
      {.title = "64 places, two SIMD groups",
       .arguments = arguments(std::vector<float>(64, 5), 1, 64),
       .expected = {{std::vector<float>(64, 1.0f / 64)}},
       .arithmetic = "simd_sum gives 32 in group 0 and 32 in group 1\nthrough threadgroup memory: 32 + 32 = 64\n"
                     "1 / 64 = 0.015625"},
      {.title = "two rows, a threadgroup each",
       .arguments = arguments({7, 7, 0, 1.0986123f}, 2, 32),
       .expected = {{std::vector<float>{0.5f, 0.5f, 0.25f, 0.75f}}},
       .arithmetic = "row 0 begins at 0 · 2, row 1 at 1 · 2\nrow 0: e^0 twice, 1 / 2 each; row 1: as the first case"},
      {.title = "one that may not be seen",
       .arguments = arguments({3, 3, kNoNumberYet, 3}, 1, 32),
       .expected = {{std::vector<float>{1.0f / 3, 1.0f / 3, 0, 1.0f / 3}}},
       .arithmetic = "3 taken away: 0, 0, −∞, 0\ne^…: 1, 1, 0, 1, together 3"}};
}

std::vector<Argument> random(Random& random) {
  const std::size_t rows = whole(random, 1, 3), columns = whole(random, 1, 200), threads = kSimd * whole(random, 1, 4);
  std::vector<float> x = floats(random, rows * columns, 5);
  const float offset = static_cast<float>(whole(random, 0, 2)) * 150 - 150;
  for (float& value : x) value += offset;
  return arguments(std::move(x), rows, threads, whole(random, 0, 5));
}

void place(Seams& seams, LearnerFunction f) {
  static constexpr std::size_t kThreads = 64;  // two SIMD groups
  place_part(seams, [f](AttentionParts& parts) {
    parts.softmax = [f](Out scores) {
      const std::vector<float> x(scores.begin(), scores.end());
      call(f, scores, In(x), x.size(), std::size_t{1}, kThreads, std::size_t{0});
    };
  });
}

std::vector<KnownMistake> mistakes() {
  return {
      {"beyond-the-end",
       "a thread reads or writes behind the last column: each of its places is to be less than columns",
       kPage,
       function<faults<kOutsideBuffers>>,
       {kOutsideBuffers}},
      {"beyond-the-array",
       "an index is beyond the end of an array in threadgroup memory: a place for each SIMD group, "
       "[group], and at most 1,024 / 32 of them",
       kPage,
       function<faults<kOutsideGroup>>,
       {kOutsideGroup, kOutOfArray}},
      {"not-all-come",
       "not all threads come there: no return and no branch around a barrier or a simd_ function. Who has nothing to "
       "do "
       "goes along, with −∞ or 0",
       kBarrierPage,
       function<faults<kBarrierDiverges>>,
       {kBarrierDiverges, kSimdDiverges, kOtherBarrier}},
      {"all-write-one-place",
       "several threads write the same place of threadgroup memory: let one of each SIMD group do it, if (lane == 0)",
       kPage,
       function<faults<kWrittenTwice>>,
       {kWrittenTwice}},
      {"barrier-missing",
       "no threadgroup_barrier(mem_flags::mem_threadgroup) stands between the two lines: a thread may read before "
       "another has written, or write anew before another has read",
       kBarrierPage,
       function<faults<kRaceAfterRead>>,
       {kRaceAfterRead, kRaceAfterWrite}},
      {"row-missing",
       "threadgroups work on the same row: theirs begins at row · columns, in x and in out",
       kPage,
       function<faults<kOtherGroup>>,
       {kOtherGroup}},
      {"same-place-twice",
       "two threads write the same place of out: thread t of a row takes places t, t + threads, t + 2 · threads, …",
       kPage,
       function<faults<kPlaceTwice>>,
       {kPlaceTwice}},
      {"never-written",
       "a place of threadgroup memory is read that nobody wrote: there are as many numbers as SIMD groups, `groups`",
       kPage,
       function<faults<kNeverWritten>>,
       {kNeverWritten}},
      {"no-maximum",
       "e to a large score is infinity, and infinity / infinity no number: take the largest score away first",
       "m2-forward-pass#softmax-without-overflow", function<mistaken<kNoMaximum>>},
      {"maximum-from-zero",
       "the search for the largest begins at 0: where all are below, all powers become 0. Begin "
       "with -INFINITY, also in threads that have no place",
       "m2-forward-pass#softmax-without-overflow", function<mistaken<kFromZero>>},
      {"not-divided", "the powers are no shares yet: divide by their sum", "m2-forward-pass#softmax-without-overflow",
       function<mistaken<kNotDivided>>},
      {"tail-left-out",
       "where columns is no multiple of threads, the last ones are left out: thread t goes on, t + threads, …, while "
       "it "
       "is less than columns",
       kPage, function<mistaken<kTailLeftOut>>},
      {"thread-alone",
       "each thread divides by its own sum: simd_sum adds up those of a SIMD group, threadgroup memory "
       "those of all groups",
       kPage, function<mistaken<kThreadAlone>>},
      {"one-simd-group",
       "simd_sum adds up 32 threads, no more: the sums of the other SIMD groups come through threadgroup memory", kPage,
       function<mistaken<kOneSimdGroup>>},
      {"first-simd-group-only", "only the first SIMD group's sum is used: add all of them up, of 0 to groups − 1",
       kPage, function<mistaken<kFirstSimdGroupOnly>>},
      {"maximum-of-one-group",
       "each SIMD group takes a largest of its own away, and the powers do not belong together: all need the row's",
       kPage, function<mistaken<kMaximumOfOneGroup>>},
  };
}

}  // namespace

Exercise exercise() {
  return {.name = "m7-kernel",
          .reference = learn::reference<reference>(),
          .by_hand = by_hand,
          .random = random,
          .tolerance = 1e-5,
          .mistakes = mistakes(),
          .place = place,
          .is_kernel = true};
}

}  // namespace kernel

std::vector<Exercise> m7_exercises() { return {kernel::exercise()}; }

}  // namespace rung::learn
