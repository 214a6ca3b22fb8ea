// cause: not-divided-by-the-sum
// fails: by-hand
#include "learn.h"

void softmax(std::span<float> scores) {
  for (float& score : scores) score = std::exp(score);
}
