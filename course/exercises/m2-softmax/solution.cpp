#include "learn.h"

// scores: [n], n ≥ 1, in place
// From scores to shares, which sum to 1.
void softmax(std::span<float> scores) {
  float largest = scores[0];
  for (const float s : scores) largest = std::max(largest, s);
  float sum = 0;
  for (float& s : scores) {
    s = std::exp(s - largest);
    sum += s;
  }
  for (float& s : scores) s /= sum;
}
