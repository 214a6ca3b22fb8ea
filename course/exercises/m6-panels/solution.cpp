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

// Four columns of four rows: q0 q1 q2 q3 of row 0, then of row 1 … Lane r of the result: q0·x0 + q1·x1 + q2·x2 + q3·x3.
// As lanes of 16 bits they are q0 + 256·q1, q2 + 256·q3: a shift up and down again gives the lower byte with its sign,
// a shift down the upper one. Two products fit into 16 bits; then the two halves of each 32 are added.
Ints four_products(Shorts w, Shorts even, Shorts odd) {
  const Ints two = (Ints)(((w << 8) >> 8) * even + (w >> 8) * odd);
  return ((two << 16) >> 16) + (two >> 16);
}

// The rows of w lie in panels of 16; the panel p is rows 16·p … 16·p + 15, side by side:
//   w_quants: [rows / 16, columns / 4, 16, 4]   four columns of each of 16 rows, then the next four columns
//   w_scales: [rows / 16, columns / 32, 16]
// x_quants: [tokens, columns], x_scales: [tokens, columns / 32] → out: [tokens, rows], the product of m6-integers.
void multiply(std::span<float> out, std::span<const float> x_scales, std::span<const std::int8_t> x_quants,
              std::span<const float> w_scales, std::span<const std::int8_t> w_quants, std::size_t tokens,
              std::size_t rows, std::size_t columns) {
  const std::size_t blocks = columns / 32;
  for (std::size_t p = 0; p < rows / 16; ++p) {
    for (std::size_t t = 0; t < tokens; ++t) {
      Four sums[4] = {};  // of the panel's 16 rows
      for (std::size_t b = 0; b < blocks; ++b) {
        const std::int8_t* w = &w_quants[(p * blocks + b) * 16 * 32];
        const std::int8_t* x = &x_quants[t * columns + 32 * b];
        Ints whole[4] = {};
        for (std::size_t g = 0; g < 8; ++g, w += 64, x += 4) {
          const Shorts even = {x[0], x[2], x[0], x[2], x[0], x[2], x[0], x[2]};
          const Shorts odd = {x[1], x[3], x[1], x[3], x[1], x[3], x[1], x[3]};
          for (std::size_t k = 0; k < 4; ++k) whole[k] += four_products(load<Shorts>(w + 16 * k), even, odd);
        }
        for (std::size_t k = 0; k < 4; ++k) {
          const Four scale = load<Four>(&w_scales[(p * blocks + b) * 16 + 4 * k]) * x_scales[t * blocks + b];
          sums[k] += scale * __builtin_convertvector(whole[k], Four);
        }
      }
      for (std::size_t r = 0; r < 16; ++r) out[t * rows + 16 * p + r] = sums[r / 4][r % 4];
    }
  }
}
