#include "learn.h"

// x: [tokens, columns], quants: [rows, columns], scales: [rows, columns / 32] → out: [tokens, rows]
// weight[r][i] = scales[r][i / 32] · quants[r][i],  out[t][r] = Σ_i x[t][i] · weight[r][i]
// columns is a multiple of 32, rows of 16.
void multiply(std::span<float> out, std::span<const float> x, std::span<const float> scales,
              std::span<const std::int8_t> quants, std::size_t tokens, std::size_t rows, std::size_t columns) {
  not_yet("multiply");
}
