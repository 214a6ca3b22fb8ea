// cause: rms-norm-weight
// fails: by-hand
#include "learn.h"

void rms_norm(std::span<float> out, std::span<const float> x, std::span<const float>, float epsilon) {
  float sum = 0;
  for (const float value : x) sum += value * value;
  const float scale = 1 / std::sqrt(sum / static_cast<float>(x.size()) + epsilon);
  std::transform(x.begin(), x.end(), out.begin(), [&](float value) { return value * scale; });
}
