// The ladder of kernels, timed: each rung with one token (decode) and with many (prefill), beside the machine's
// ceilings.  Milestone M6.
//
//   ladder [ROWS COLUMNS TOKENS]
#include <fmt/format.h>

#include <algorithm>
#include <chrono>
#include <cstdlib>
#include <random>

#include "base/processors.h"
#include "ladder.h"
#include "measure/ceilings.h"

namespace {

using Clock = std::chrono::steady_clock;

// The best of some tenths of a second, at least two runs: what else runs on the machine only ever adds.
template <class Body>
double best_seconds(Body body) {
  double best = 1e9, all = 0;
  for (int i = 0; i < 2 || all < 0.3; ++i) {
    const Clock::time_point start = Clock::now();
    body();
    const double seconds = std::chrono::duration<double>(Clock::now() - start).count();
    best = std::min(best, seconds);
    all += seconds;
  }
  return best;
}

std::vector<float> some_values(std::size_t n) {
  std::mt19937 random(1);
  std::vector<float> values(n);
  for (float& v : values) v = static_cast<float>(random() % 65536) / 32768.0f - 1.0f;
  return values;
}

void time_rungs(const ladder::Shape& many) {
  rung::ThreadTeam team(rung::usable_processors());
  rung::CeilingMeter meter(team);
  for (int i = 0; i < 3; ++i) meter.measure();
  const rung::Ceilings c = meter.ceilings();
  fmt::print(
      "{} x {} weights, {} thread{} at most, kernels {}; ceilings: {:.1f} GB/s, {:.0f} GOP/s in int8, {:.0f} GFLOP/s "
      "in f32\n\n",
      many.rows, many.columns, team.size(), team.size() == 1 ? "" : "s", rung::chosen_kernels().name, c.read_gb_per_s,
      c.int8_gop_per_s, c.f32_gflop_per_s);
  fmt::print(
      "| rung | bytes a weight | one token: ms | GB/s | of memory | {} tokens: ms | GOP/s | of int8 peak |\n"
      "|---|---|---|---|---|---|---|---|\n",
      many.tokens);
  const ladder::Shape one{many.rows, many.columns, 1};
  const auto weights = some_values(many.rows * many.columns), x = some_values(many.tokens * many.columns);
  std::vector<float> out(many.tokens * many.rows);
  for (const ladder::Rung& rung : ladder::rungs()) {
    rung::Arena arena;
    const std::size_t bytes = rung.packed_bytes(many);
    std::byte* packed = arena.take(bytes);
    rung.pack(packed, weights.data(), many);
    const double alone = best_seconds([&] { rung.multiply(out.data(), packed, x.data(), one, team); });
    const double together = best_seconds([&] { rung.multiply(out.data(), packed, x.data(), many, team); });
    const double gb = static_cast<double>(bytes) / alone / 1e9;
    const double gop = 2 * static_cast<double>(many.rows * many.columns * many.tokens) / together / 1e9;
    fmt::print("| {} | {:.3f} | {:.1f} | {:.1f} | {:.0f}% | {:.0f} | {:.1f} | {:.0f}% |\n", rung.name,
               static_cast<double>(bytes) / static_cast<double>(many.rows * many.columns), alone * 1e3, gb,
               100 * gb / c.read_gb_per_s, together * 1e3, gop, 100 * gop / c.int8_gop_per_s);
    std::fflush(stdout);
  }
}

}  // namespace

int main(int argc, char** argv) {
  ladder::Shape shape{16384, 4096, 32};  // as floats 268 MB, in bytes 75 MB: more than the caches hold
  if (argc == 4) {
    shape = {std::strtoul(argv[1], nullptr, 10), std::strtoul(argv[2], nullptr, 10),
             std::strtoul(argv[3], nullptr, 10)};
  }
  const bool fits =
      shape.rows > 0 && shape.rows % 16 == 0 && shape.columns > 0 && shape.columns % 32 == 0 && shape.tokens > 0;
  if ((argc != 1 && argc != 4) || !fits || shape.rows > 1u << 20 || shape.columns > 1u << 16 || shape.tokens > 4096) {
    fmt::print(stderr,
               "usage: ladder [ROWS COLUMNS TOKENS]: rows in sixteens up to 2^20, columns in thirty-twos up to 2^16, "
               "tokens up to 4096\n");
    return 2;
  }
  time_rungs(shape);
}
