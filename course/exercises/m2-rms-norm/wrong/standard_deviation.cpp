// cause: rms-norm-centred
// fails: by-hand
#include "learn.h"

void rms_norm(std::span<float> out, std::span<const float> x, std::span<const float> weight, float epsilon) {
  const auto n = static_cast<float>(x.size());
  const float mean = std::accumulate(x.begin(), x.end(), 0.0f) / n;
  const float squares = std::inner_product(x.begin(), x.end(), x.begin(), 0.0f) / n;
  const float deviation = std::sqrt(std::max(0.0f, squares - mean * mean) + epsilon);
  for (std::size_t i = 0; i < x.size(); ++i) out[i] = weight[i] * (x[i] - mean) / deviation;
}
