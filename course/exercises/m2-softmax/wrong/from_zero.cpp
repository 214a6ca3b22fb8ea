// cause: maximum-from-zero
// fails: by-hand
#include "learn.h"

void softmax(std::span<float> scores) {
  float largest = 0;
  for (const float s : scores) largest = std::max(largest, s);
  float sum = 0;
  for (float& s : scores) {
    s = std::exp(s - largest);
    sum += s;
  }
  for (float& s : scores) s /= sum;
}
