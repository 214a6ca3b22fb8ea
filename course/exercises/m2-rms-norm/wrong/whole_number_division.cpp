// cause: not-a-number
// fails: by-hand
#include "learn.h"

void rms_norm(std::span<float> out, std::span<const float> x, std::span<const float> weight, float epsilon) {
  float squares = 0;
  for (const float v : x) squares += v * v;
  const float mean = squares * static_cast<float>(1 / x.size());
  for (std::size_t i = 0; i < x.size(); ++i) out[i] = x[i] / std::sqrt(mean + epsilon) * weight[i];
}
