// Rung 4: a byte a weight.
//
// Neighbouring weights of a row have like sizes. 32 of them share one scale, the largest magnitude / 127, and each
// becomes an integer from -127 to 127: 36 bytes instead of 128. A weight moves by at most half a scale, which a model
// hardly notices
// (`rung compare` says how much). With one token memory was what all waited for, so fewer bytes are worth more than any
// cleverness in computing: if computing keeps up.
//
//   memory:   [scale | q0 q1 … q31] [scale | q0 … q31] …        a row is columns / 32 blocks
//
// What limits it: turning bytes into floats. A weight now takes longer to unpack than to multiply, and with many tokens
// it is unpacked for each of them again. The bytes that were won wait for that, and the rung is a step down: fewer
// bytes alone are not faster.
//
// The next rung does not unpack at all.
#include <algorithm>
#include <cmath>
#include <cstring>

#include "ladder.h"

namespace ladder {

Block quantize(const float* values) {
  float largest = 0;
  for (std::size_t i = 0; i < 32; ++i) largest = std::max(largest, std::fabs(values[i]));
  Block block{.scale = largest / 127, .q = {}};
  const float inverse = largest == 0 ? 0 : 127 / largest;
  for (std::size_t i = 0; i < 32; ++i) block.q[i] = static_cast<std::int8_t>(std::lrint(values[i] * inverse));
  return block;
}

std::size_t block_bytes(const Shape& shape) { return shape.rows * shape.columns / 32 * sizeof(Block); }

void pack_blocks(std::byte* packed, const float* weights, const Shape& shape) {
  for (std::size_t b = 0; b < shape.rows * shape.columns / 32; ++b) {
    const Block block = quantize(weights + 32 * b);
    std::memcpy(packed + b * sizeof block, &block, sizeof block);
  }
}

namespace {

float dot(const Block* row, const float* x, std::size_t columns) {
  float sums[8] = {};  // the compiler makes registers of them: eight chains that do not wait for each other
  for (std::size_t b = 0; b < columns / 32; ++b) {
    float products[8] = {};
    for (std::size_t i = 0; i < 32; i += 8) {
      for (std::size_t k = 0; k < 8; ++k) products[k] += static_cast<float>(row[b].q[i + k]) * x[32 * b + i + k];
    }
    for (std::size_t k = 0; k < 8; ++k) sums[k] += row[b].scale * products[k];
  }
  return ((sums[0] + sums[1]) + (sums[2] + sums[3])) + ((sums[4] + sums[5]) + (sums[6] + sums[7]));
}

void multiply(float* out, const std::byte* packed, const float* x, const Shape& shape, rung::ThreadTeam&) {
  const auto* blocks = reinterpret_cast<const Block*>(packed);
  for (std::size_t r = 0; r < shape.rows; ++r) {
    for (std::size_t t = 0; t < shape.tokens; ++t) {
      out[t * shape.rows + r] = dot(blocks + r * shape.columns / 32, x + t * shape.columns, shape.columns);
    }
  }
}

}  // namespace

const Rung bytes{"4 bytes", Rounds::weights, block_bytes, pack_blocks, multiply};

}  // namespace ladder
