// cause: linear-transposed
// fails: by-hand
#include "learn.h"

void linear(std::span<float> out, std::span<const float> x, std::span<const float> w, std::size_t tokens,
            std::size_t inputs, std::size_t outputs) {
  std::fill(out.begin(), out.end(), 0.0f);
  for (std::size_t t = 0; t < tokens; ++t) {
    for (std::size_t i = 0; i < inputs; ++i) {
      for (std::size_t o = 0; o < outputs; ++o) out[t * outputs + o] += x[t * inputs + i] * w[i * outputs + o];
    }
  }
}
