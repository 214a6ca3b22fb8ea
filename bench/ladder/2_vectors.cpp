// Rung 2: many sums at once.
//
// A register of every x86-64 and every 64-bit ARM holds four floats, and one instruction multiplies or adds all four:
// SIMD. Four such registers of sums are sixteen chains of additions that do not wait for each other; at the end they
// are added together. It is another order of the same additions, so the last bits differ from rung 1's, and no order is
// more right than the other: the test allows what rounding may do.
//
// `Four` is written with the vector extension that g++ and clang share: +, * work on all four. Wider registers come in
// rung 5.
//
// What limits it: with one token, memory: each weight is four bytes, used once. With many tokens, the caches: for every
// token all weights come by again, and they are more than any cache holds.
//
// The next rung uses a weight for several tokens while it is in a register.
#include <cstring>

#include "ladder.h"

namespace ladder {

namespace {

using Four = float __attribute__((vector_size(16)));

Four load(const float* p) {
  Four four;
  // one instruction: the way to say "from an address that need not be a multiple of 16"
  std::memcpy(&four, p, sizeof four);
  return four;
}

float dot(const float* a, const float* b, std::size_t n) {
  Four sums[4] = {};
  for (std::size_t i = 0; i < n; i += 16) {
    for (std::size_t k = 0; k < 4; ++k) sums[k] += load(a + i + 4 * k) * load(b + i + 4 * k);
  }
  const Four all = (sums[0] + sums[1]) + (sums[2] + sums[3]);
  return (all[0] + all[1]) + (all[2] + all[3]);
}

void multiply(float* out, const std::byte* packed, const float* x, const Shape& shape, rung::ThreadTeam&) {
  const auto* weights = reinterpret_cast<const float*>(packed);
  for (std::size_t t = 0; t < shape.tokens; ++t) {
    for (std::size_t r = 0; r < shape.rows; ++r) {
      out[t * shape.rows + r] = dot(weights + r * shape.columns, x + t * shape.columns, shape.columns);
    }
  }
}

}  // namespace

const Rung vectors{"2 vectors", Rounds::nothing, float_bytes, copy_floats, multiply};

}  // namespace ladder
