// cause: last-token-forgotten
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
  for (std::size_t r = 0; r < rows; r += 4) {
    const float *w0 = &w[r * columns], *w1 = w0 + columns, *w2 = w1 + columns, *w3 = w2 + columns;
    for (std::size_t t = 0; t + 1 < tokens; t += 2) {
      const std::size_t u = t + 1;
      const float *xt = &x[t * columns], *xu = &x[u * columns];
      Four t0 = {}, t1 = {}, t2 = {}, t3 = {}, u0 = {}, u1 = {}, u2 = {}, u3 = {};
      for (std::size_t i = 0; i < columns; i += 4) {
        const Four a = load(w0 + i), b = load(w1 + i), c = load(w2 + i), d = load(w3 + i);
        const Four left = load(xt + i), right = load(xu + i);
        t0 += a * left, t1 += b * left, t2 += c * left, t3 += d * left;
        u0 += a * right, u1 += b * right, u2 += c * right, u3 += d * right;
      }
      const Four of_t[] = {t0, t1, t2, t3}, of_u[] = {u0, u1, u2, u3};
      for (std::size_t k = 0; k < 4; ++k) {
        out[t * rows + r + k] = (of_t[k][0] + of_t[k][1]) + (of_t[k][2] + of_t[k][3]);
        out[u * rows + r + k] = (of_u[k][0] + of_u[k][1]) + (of_u[k][2] + of_u[k][3]);
      }
    }
  }
}
