// cause: sum-not-reset
// fails: by-hand
#include "learn.h"

void linear(std::span<float> out, std::span<const float> x, std::span<const float> w, std::size_t tokens,
            std::size_t inputs, std::size_t outputs) {
  for (std::size_t t = 0; t < tokens; ++t) {
    float sum = 0;
    for (std::size_t o = 0; o < outputs; ++o) {
      for (std::size_t i = 0; i < inputs; ++i) sum += x[t * inputs + i] * w[o * inputs + i];
      out[t * outputs + o] = sum;
    }
  }
}
