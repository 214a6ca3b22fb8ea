#include "learn.h"

// out, x, weight: [n]
// out[i] = x[i] / √(mean(x²) + ε) · weight[i]
void rms_norm(std::span<float> out, std::span<const float> x, std::span<const float> weight, float epsilon) {
  not_yet("rms_norm");
}
