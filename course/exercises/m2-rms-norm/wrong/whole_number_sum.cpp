// cause: whole-number-sum
// fails: by-hand
#include "learn.h"

void rms_norm(std::span<float> out, std::span<const float> x, std::span<const float> weight, float epsilon) {
  int sum = 0;
  for (const float value : x) sum += value * value;
  const float mean = static_cast<float>(sum) / static_cast<float>(x.size());
  const float scale = 1 / std::sqrt(mean + epsilon);
  for (std::size_t i = 0; i < x.size(); ++i) out[i] = x[i] * scale * weight[i];
}
