// cause: up-below-the-line
// fails: by-hand
#include "learn.h"

void swiglu(std::span<float> out, std::span<const float> gate, std::span<const float> up) {
  for (std::size_t i = 0; i < out.size(); ++i) out[i] = gate[i] / (1 + std::exp(-gate[i]) * up[i]);
}
