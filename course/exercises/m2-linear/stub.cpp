#include "learn.h"

// x: [tokens, inputs], w: [outputs, inputs]
// → out: [tokens, outputs]
// out[t][o] = Σ_i x[t][i] · w[o][i]
void linear(std::span<float> out, std::span<const float> x, std::span<const float> w, std::size_t tokens,
            std::size_t inputs, std::size_t outputs) {
  not_yet("linear");
}
