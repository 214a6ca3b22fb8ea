// cause: scales-of-the-first-row
// fails: by-hand
#include "learn.h"

// x: [tokens, columns], quants: [rows, columns], scales: [rows, columns / 32] → out: [tokens, rows]
// weight[r][i] = scales[r][i / 32] · quants[r][i],  out[t][r] = Σ_i x[t][i] · weight[r][i]
// columns is a multiple of 32, rows of 16.
void multiply(std::span<float> out, std::span<const float> x, std::span<const float> scales,
              std::span<const std::int8_t> quants, std::size_t tokens, std::size_t rows, std::size_t columns) {
  const std::size_t blocks = columns / 32;
  for (std::size_t r = 0; r < rows; ++r) {
    for (std::size_t t = 0; t < tokens; ++t) {
      float sum = 0;
      for (std::size_t b = 0; b < blocks; ++b) {
        const std::int8_t* q = &quants[r * columns + 32 * b];
        const float* values = &x[t * columns + 32 * b];
        float parts[8] = {};  // eight chains that do not wait for each other
        for (std::size_t i = 0; i < 32; i += 8) {
          for (std::size_t k = 0; k < 8; ++k) parts[k] += static_cast<float>(q[i + k]) * values[i + k];
        }
        float products = 0;
        for (const float part : parts) products += part;
        sum += scales[b] * products;
      }
      out[t * rows + r] = sum;
    }
  }
}
