// cause: mean-taken
// fails: by-hand
#include "learn.h"

float error(std::span<const float> weights, std::span<const float> back, std::span<const float> importance) {
  float sum = 0;
  for (std::size_t i = 0; i < weights.size(); ++i) {
    sum += importance[i] * (weights[i] - back[i]) * (weights[i] - back[i]);
  }
  return sum / static_cast<float>(weights.size());
}
