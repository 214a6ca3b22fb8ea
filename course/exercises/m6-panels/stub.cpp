#include "learn.h"

// Registers of 16 bytes. + and * and shifts work on all lanes at once; (Ints)x looks at the same bytes as other lanes.
using Four = float __attribute__((vector_size(16)));
using Ints = std::int32_t __attribute__((vector_size(16)));
using Shorts = std::int16_t __attribute__((vector_size(16)));

template <class Register, class T>
Register load(const T* p) {
  Register lanes;
  std::memcpy(&lanes, p, sizeof lanes);
  return lanes;
}

// The rows of w lie in panels of 16; the panel p is rows 16·p … 16·p + 15, side by side:
//   w_quants: [rows / 16, columns / 4, 16, 4]   four columns of each of 16 rows, then the next four columns
//   w_scales: [rows / 16, columns / 32, 16]
// x_quants: [tokens, columns], x_scales: [tokens, columns / 32] → out: [tokens, rows], the product of m6-integers.
void multiply(std::span<float> out, std::span<const float> x_scales, std::span<const std::int8_t> x_quants,
              std::span<const float> w_scales, std::span<const std::int8_t> w_quants, std::size_t tokens,
              std::size_t rows, std::size_t columns) {
  not_yet("multiply");
}
