// cause: silu-of-the-product
// fails: by-hand
#include "learn.h"

void swiglu(std::span<float> out, std::span<const float> gate, std::span<const float> up) {
  for (std::size_t i = 0; i < out.size(); ++i) {
    const float product = gate[i] * up[i];
    out[i] = product / (1.0f + std::exp(-product));
  }
}
