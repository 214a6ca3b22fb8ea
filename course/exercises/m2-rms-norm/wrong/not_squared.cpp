// cause: rms-norm-not-squared
// fails: by-hand
#include "learn.h"

void rms_norm(std::span<float> out, std::span<const float> x, std::span<const float> weight, float epsilon) {
  float sum = 0;
  for (std::size_t i = 0; i < x.size(); ++i) sum += x[i];
  const float root = std::sqrt(sum / static_cast<float>(x.size()) + epsilon);
  for (std::size_t i = 0; i < x.size(); ++i) out[i] = x[i] / root * weight[i];
}
