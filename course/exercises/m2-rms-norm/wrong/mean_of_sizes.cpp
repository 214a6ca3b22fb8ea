// cause: constant-factor
// fails: by-hand
#include "learn.h"

void rms_norm(std::span<float> out, std::span<const float> x, std::span<const float> weight, float epsilon) {
  float sizes = 0;
  for (const float v : x) sizes += std::abs(v);
  const float mean = sizes / static_cast<float>(x.size());
  for (std::size_t i = 0; i < x.size(); ++i) out[i] = x[i] / (mean + epsilon) * weight[i];
}
