// cause: range-for-farthest
// fails: by-hand
#include "learn.h"

float choose_scale(std::span<const float> weights) {
  float least = weights[0], most = weights[0];
  for (const float w : weights) {
    least = std::min(least, w);
    most = std::max(most, w);
  }
  return (most - least) / 15.0f;
}
