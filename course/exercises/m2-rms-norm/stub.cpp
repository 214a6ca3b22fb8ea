#include "learn.h"

// out[i] = x[i] / √(mean(x²) + epsilon) · weight[i]        out, x, weight: [n]
void rms_norm(std::span<float> out, std::span<const float> x, std::span<const float> weight, float epsilon) {
  not_yet("rms_norm");
}
