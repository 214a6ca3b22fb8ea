#include "learn.h"

// weights, back, importance: [n] → Σ_i importance[i] · (weights[i] − back[i])²
float error(std::span<const float> weights, std::span<const float> back, std::span<const float> importance) {
  not_yet("error");
  return 0;
}
