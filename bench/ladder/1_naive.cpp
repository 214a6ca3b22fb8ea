// Rung 1: the formula, as it stands in a book.
//
// What limits it: waiting. Each addition needs the sum before it, and a sum takes three or four cycles to come out of
// the adder; meanwhile nothing else is left to do. So a product every four cycles, of the sixteen or more a cycle that
// the processor could do. Memory and caches are far from being busy, whatever the number of tokens.
//
// The compiler may not help: (a + b) + c and a + (b + c) are different floats, and it keeps the order that is written.
//
// The next rung writes another order.
#include <cstring>

#include "ladder.h"

namespace ladder {

namespace {

void multiply(float* out, const std::byte* packed, const float* x, const Shape& shape, rung::ThreadTeam&) {
  const auto* weights = reinterpret_cast<const float*>(packed);
  for (std::size_t t = 0; t < shape.tokens; ++t) {
    for (std::size_t r = 0; r < shape.rows; ++r) {
      float sum = 0;
      for (std::size_t i = 0; i < shape.columns; ++i) sum += weights[r * shape.columns + i] * x[t * shape.columns + i];
      out[t * shape.rows + r] = sum;
    }
  }
}

}  // namespace

// The first three rungs take the weights as they are.
std::size_t float_bytes(const Shape& shape) { return shape.rows * shape.columns * sizeof(float); }
void copy_floats(std::byte* packed, const float* weights, const Shape& shape) {
  std::memcpy(packed, weights, float_bytes(shape));
}

const Rung naive{"1 naive", Rounds::nothing, float_bytes, copy_floats, multiply};

}  // namespace ladder
