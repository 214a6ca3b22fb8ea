// cause: exponent-sign
// fails: by-hand
#include "learn.h"

float silu(float g) { return g * (1 / (1 + std::exp(g))); }

void swiglu(std::span<float> out, std::span<const float> gate, std::span<const float> up) {
  std::transform(gate.begin(), gate.end(), up.begin(), out.begin(), [](float g, float u) { return silu(g) * u; });
}
