// cause: sum-not-reset
// fails: by-hand
#include "learn.h"

// Four floats in one register: + and * work on all four at once. four[0] … four[3] are its lanes.
using Four = float __attribute__((vector_size(16)));

Four load(const float* p) {
  Four four;
  std::memcpy(&four, p, sizeof four);  // one instruction
  return four;
}

// x: [tokens, columns], w: [rows, columns] → out: [tokens, rows].  out[t][r] = Σ_i x[t][i] · w[r][i]
// columns is a multiple of 32, rows of 16.
void multiply(std::span<float> out, std::span<const float> x, std::span<const float> w, std::size_t tokens,
              std::size_t rows, std::size_t columns) {
  Four sums[4] = {};
  for (std::size_t t = 0; t < tokens; ++t) {
    for (std::size_t r = 0; r < rows; ++r) {
      for (std::size_t i = 0; i < columns; i += 16) {
        for (std::size_t k = 0; k < 4; ++k) {
          sums[k] += load(&w[r * columns + i + 4 * k]) * load(&x[t * columns + i + 4 * k]);
        }
      }
      const Four all = (sums[0] + sums[1]) + (sums[2] + sums[3]);
      out[t * rows + r] = (all[0] + all[1]) + (all[2] + all[3]);
    }
  }
}
