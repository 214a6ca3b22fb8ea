// cause: largest-not-farthest
// fails: by-hand
#include "learn.h"

float choose_scale(std::span<const float> weights) {
  float largest = weights[0];
  for (const float w : weights) largest = std::max(largest, w);
  return largest / -8.0f;
}
