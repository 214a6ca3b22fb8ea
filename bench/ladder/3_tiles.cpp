// Rung 3: tiles.
//
// A tile is 4 rows × 2 tokens. Its eight sums stay in registers; six loads (four weights, two activations) feed eight
// products, where rung 2 needs two loads for each. And the loops turn around: the rows are outside, so that four rows
// of weights are read from memory once and then serve all tokens from the nearest cache.
//
//            token 0  token 1
//     row 0   sum      sum         for each four columns:  load w0 w1 w2 w3, x0 x1
//     row 1   sum      sum                                 sum[r][t] += w[r]·x[t]
//     row 2   sum      sum
//     row 3   sum      sum
//
// What limits it: with many tokens, at last, arithmetic: four products an instruction. With one token still memory, and
// there is nothing to win by computing better: 4 bytes a weight have to come.
//
// The next rung makes them fewer.
#include <algorithm>
#include <cstring>

#include "ladder.h"

namespace ladder {

namespace {

using Four = float __attribute__((vector_size(16)));
constexpr std::size_t kRows = 4;

Four load(const float* p) {
  Four four;
  std::memcpy(&four, p, sizeof four);
  return four;
}

// kTokens is known when this is compiled, so that the sums have registers of their own.
template <std::size_t kTokens>
void tile(float* out, const float* weights, const float* x, const Shape& shape) {
  Four sums[kRows][kTokens] = {};
  for (std::size_t i = 0; i < shape.columns; i += 4) {
    Four w[kRows];
    for (std::size_t r = 0; r < kRows; ++r) w[r] = load(weights + r * shape.columns + i);
    for (std::size_t t = 0; t < kTokens; ++t) {
      const Four value = load(x + t * shape.columns + i);
      for (std::size_t r = 0; r < kRows; ++r) sums[r][t] += w[r] * value;
    }
  }
  for (std::size_t r = 0; r < kRows; ++r) {
    for (std::size_t t = 0; t < kTokens; ++t) {
      const Four s = sums[r][t];
      out[t * shape.rows + r] = (s[0] + s[1]) + (s[2] + s[3]);
    }
  }
}

void multiply(float* out, const std::byte* packed, const float* x, const Shape& shape, rung::ThreadTeam&) {
  const auto* weights = reinterpret_cast<const float*>(packed);
  for (std::size_t r = 0; r < shape.rows; r += kRows) {
    std::size_t t = 0;
    for (; t + 2 <= shape.tokens; t += 2) {
      tile<2>(out + t * shape.rows + r, weights + r * shape.columns, x + t * shape.columns, shape);
    }
    for (; t < shape.tokens; ++t) {
      tile<1>(out + t * shape.rows + r, weights + r * shape.columns, x + t * shape.columns, shape);
    }
  }
}

}  // namespace

const Rung tiles{"3 tiles", Rounds::nothing, float_bytes, copy_floats, multiply};

}  // namespace ladder
