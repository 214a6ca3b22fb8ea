// decode_row: nanoseconds a value, for each type, one thread. The reference backend decodes every row of a matrix each
// time that it uses it, so this is most of what it does.
//
//   bench_decode
#include <fmt/format.h>

#include <algorithm>
#include <chrono>
#include <random>
#include <vector>

#include "tensor/blocks.h"

namespace {

using Clock = std::chrono::steady_clock;

// Rows as long as those of a small model; together they fit the L2 cache.
constexpr std::size_t kRowValues = 1536, kRows = 200, kRepeats = 50;

// The best of the repeats: what else runs on the machine only ever adds.
double nanoseconds_per_value(rung::DType type) {
  const std::size_t row_bytes = rung::row_bytes(type, kRowValues);
  std::mt19937 random(1);
  std::vector<std::byte> rows(row_bytes * kRows);
  for (std::byte& b : rows) b = static_cast<std::byte>(random() & 0x3f);  // no infinities or NaN among the scales
  std::vector<float> values(kRowValues);
  double best = 1e9;
  for (std::size_t k = 0; k < kRepeats; ++k) {
    const Clock::time_point start = Clock::now();
    for (std::size_t r = 0; r < kRows; ++r) {
      rung::decode_row(values, type, rows.data() + r * row_bytes);
      asm volatile("" : : "r"(values.data()) : "memory");  // the compiler must take the values for used
    }
    best = std::min(best, std::chrono::duration<double, std::nano>(Clock::now() - start).count());
  }
  return best / static_cast<double>(kRowValues * kRows);
}

}  // namespace

int main() {
  for (const rung::DTypeInfo& i : rung::kDTypes) {
    fmt::print("{:<7} {:.3f} ns/value\n", i.name, nanoseconds_per_value(i.type));
  }
}
