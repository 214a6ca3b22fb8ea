// cause: no-maximum
// fails: by-hand
#include "learn.h"

void softmax(std::span<float> scores) {
  float sum = 0;
  for (float& s : scores) {
    s = std::exp(s);
    sum += s;
  }
  for (float& s : scores) s /= sum;
}
