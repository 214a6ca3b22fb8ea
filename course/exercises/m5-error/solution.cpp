#include "learn.h"

// weights, back, importance: [n] → Σ_i importance[i] · (weights[i] − back[i])²
float error(std::span<const float> weights, std::span<const float> back, std::span<const float> importance) {
  float sum = 0;
  for (std::size_t i = 0; i < weights.size(); ++i) {
    const float difference = weights[i] - back[i];
    sum += importance[i] * difference * difference;
  }
  return sum;
}
