// cause: rms-norm-epsilon-outside
// fails: by-hand
#include "learn.h"

void rms_norm(std::span<float> out, std::span<const float> x, std::span<const float> weight, float epsilon) {
  double sum = 0;
  for (const float value : x) sum += value * value;
  const double root = std::sqrt(sum / static_cast<double>(x.size())) + epsilon;
  for (std::size_t i = 0; i < x.size(); ++i) out[i] = static_cast<float>(x[i] / root * weight[i]);
}
