// cause: largest-below-only
// fails: by-hand
#include "learn.h"

void softmax(std::span<float> scores) {
  float largest = scores[0];
  for (const float s : scores) largest = std::max(largest, s);
  float sum = 0;
  for (const float s : scores) sum += std::exp(s - largest);
  for (float& s : scores) s = std::exp(s) / sum;
}
