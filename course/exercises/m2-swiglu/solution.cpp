#include "learn.h"

// gate, up: [n] → out: [n]
// out = silu(gate) · up, number by number
// silu(g) = g / (1 + e^−g)
void swiglu(std::span<float> out, std::span<const float> gate, std::span<const float> up) {
  for (std::size_t i = 0; i < out.size(); ++i) {
    const float silu = gate[i] / (1.0f + std::exp(-gate[i]));
    out[i] = silu * up[i];
  }
}
