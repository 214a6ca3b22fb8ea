#include "learn.h"

// gate, up: [n] → out: [n]
// out = silu(gate) · up, number by number
// silu(g) = g / (1 + e^−g)
void swiglu(std::span<float> out, std::span<const float> gate, std::span<const float> up) { not_yet("swiglu"); }
