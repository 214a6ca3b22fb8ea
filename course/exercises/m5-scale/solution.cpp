#include "learn.h"

// weights: [n] → the scale of their block: the weight that is farthest from zero, with its sign, divided by −8.
float choose_scale(std::span<const float> weights) {
  float farthest = 0;
  for (const float w : weights) {
    if (std::fabs(w) > std::fabs(farthest)) farthest = w;
  }
  return farthest / -8.0f;
}
