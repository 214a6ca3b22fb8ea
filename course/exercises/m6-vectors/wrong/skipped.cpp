// cause: numbers-skipped
// fails: by-hand
#include "learn.h"

// Four floats in one register: + and * work on all four at once. four[0] … four[3] are its lanes.
using Four = float __attribute__((vector_size(16)));

Four load(const float* p) {
  Four four;
  std::memcpy(&four, p, sizeof four);  // one instruction
  return four;
}

float dot(const float* a, const float* b, std::size_t n) {
  Four sum = {};
  for (std::size_t i = 0; i < n; i += 16) sum += load(a + i) * load(b + i);
  return (sum[0] + sum[1]) + (sum[2] + sum[3]);
}

// x: [tokens, columns], w: [rows, columns] → out: [tokens, rows].  out[t][r] = Σ_i x[t][i] · w[r][i]
// columns is a multiple of 32, rows of 16.
void multiply(std::span<float> out, std::span<const float> x, std::span<const float> w, std::size_t tokens,
              std::size_t rows, std::size_t columns) {
  for (std::size_t t = 0; t < tokens; ++t) {
    for (std::size_t r = 0; r < rows; ++r) out[t * rows + r] = dot(&w[r * columns], &x[t * columns], columns);
  }
}
