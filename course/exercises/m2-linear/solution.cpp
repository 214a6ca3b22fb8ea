#include "learn.h"

// x: [tokens, inputs], w: [outputs, inputs]
// → out: [tokens, outputs]
// out[t][o] = Σ_i x[t][i] · w[o][i]
void linear(std::span<float> out, std::span<const float> x, std::span<const float> w, std::size_t tokens,
            std::size_t inputs, std::size_t outputs) {
  for (std::size_t t = 0; t < tokens; ++t) {
    for (std::size_t o = 0; o < outputs; ++o) {
      float sum = 0;
      for (std::size_t i = 0; i < inputs; ++i) sum += x[t * inputs + i] * w[o * inputs + i];
      out[t * outputs + o] = sum;
    }
  }
}
