// cause: rms-norm-sum
// fails: by-hand
#include "learn.h"

void rms_norm(std::span<float> out, std::span<const float> x, std::span<const float> weight, float epsilon) {
  float sum = 0;
  for (std::size_t i = 0; i < x.size(); ++i) sum += x[i] * x[i];
  const float norm = std::sqrt(sum + epsilon);
  for (std::size_t i = 0; i < x.size(); ++i) out[i] = x[i] / norm * weight[i];
}
