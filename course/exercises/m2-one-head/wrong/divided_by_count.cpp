// cause: divided-by-the-count
// fails: by-hand
#include "learn.h"

void attend(std::span<float> out, std::span<const float> q, std::span<const float> keys, std::span<const float> values,
            float scale) {
  const std::size_t d = q.size(), n = keys.size() / d;
  std::fill(out.begin(), out.end(), 0.0f);
  for (std::size_t j = 0; j < n; ++j) {
    float score = 0;
    for (std::size_t i = 0; i < d; ++i) score += q[i] * keys[j * d + i];
    const float weight = std::exp(score * scale) / static_cast<float>(n);
    for (std::size_t i = 0; i < d; ++i) out[i] += weight * values[j * d + i];
  }
}
