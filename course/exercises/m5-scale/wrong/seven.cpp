// cause: divided-by-seven
// fails: by-hand
#include "learn.h"

float choose_scale(std::span<const float> weights) {
  float farthest = 0;
  for (const float w : weights) farthest = std::max(farthest, std::fabs(w));
  return farthest / 7.0f;
}
