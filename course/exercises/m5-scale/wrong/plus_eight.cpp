// cause: divided-by-eight
// fails: by-hand
#include "learn.h"

float choose_scale(std::span<const float> weights) {
  float farthest = 0;
  for (const float w : weights) farthest = std::abs(w) > std::abs(farthest) ? w : farthest;
  return farthest / 8;
}
