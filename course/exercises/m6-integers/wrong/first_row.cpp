// cause: scales-of-the-first-row
// fails: by-hand
#include "learn.h"

// x_quants: [tokens, columns], x_scales: [tokens, columns / 32]; w_quants: [rows, columns], w_scales: [rows, columns /
// 32] → out: [tokens, rows].  out[t][r] = Σ_b x_scales[t][b] · w_scales[r][b] · Σ_i x_quants[t][i] · w_quants[r][i]
// columns is a multiple of 32, rows of 16.
void multiply(std::span<float> out, std::span<const float> x_scales, std::span<const std::int8_t> x_quants,
              std::span<const float> w_scales, std::span<const std::int8_t> w_quants, std::size_t tokens,
              std::size_t rows, std::size_t columns) {
  const std::size_t blocks = columns / 32;
  for (std::size_t r = 0; r < rows; ++r) {
    for (std::size_t t = 0; t < tokens; ++t) {
      float sum = 0;
      for (std::size_t b = 0; b < blocks; ++b) {
        const std::int8_t* w = &w_quants[r * columns + 32 * b];
        const std::int8_t* x = &x_quants[t * columns + 32 * b];
        int whole = 0;
        for (std::size_t i = 0; i < 32; ++i) whole += w[i] * x[i];
        sum += w_scales[b] * x_scales[t * blocks + b] * static_cast<float>(whole);
      }
      out[t * rows + r] = sum;
    }
  }
}
