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
  not_yet("multiply");
}
