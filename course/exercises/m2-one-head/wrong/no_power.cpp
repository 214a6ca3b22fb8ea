// cause: exp-missing
// fails: by-hand
#include "learn.h"

void attend(std::span<float> out, std::span<const float> q, std::span<const float> keys, std::span<const float> values,
            float scale) {
  const std::size_t d = q.size();
  const std::size_t n = keys.size() / d;
  for (float& o : out) o = 0;
  float sum = 0;
  for (std::size_t j = 0; j < n; ++j) {
    float score = 0;
    for (std::size_t i = 0; i < d; ++i) score += q[i] * keys[j * d + i];
    const float power = scale * score;
    sum += power;
    for (std::size_t i = 0; i < d; ++i) out[i] += power * values[j * d + i];
  }
  for (float& o : out) o /= sum;
}
