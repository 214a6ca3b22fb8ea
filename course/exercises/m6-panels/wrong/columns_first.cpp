// cause: columns-before-rows
// fails: by-hand
#include "learn.h"

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
      float sums[16] = {};
      for (std::size_t b = 0; b < blocks; ++b) {
        int whole[16] = {};
        for (std::size_t i = 0; i < 32; ++i) {
          const std::size_t column = 32 * b + i;
          for (std::size_t r = 0; r < 16; ++r) {
            whole[r] +=
                w_quants[((p * columns / 4 + column / 4) * 4 + column % 4) * 16 + r] * x_quants[t * columns + column];
          }
        }
        for (std::size_t r = 0; r < 16; ++r) {
          sums[r] += w_scales[(p * blocks + b) * 16 + r] * x_scales[t * blocks + b] * static_cast<float>(whole[r]);
        }
      }
      for (std::size_t r = 0; r < 16; ++r) out[t * rows + 16 * p + r] = sums[r];
    }
  }
}
