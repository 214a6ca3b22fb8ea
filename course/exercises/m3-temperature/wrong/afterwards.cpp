// cause: divided-after-softmax
// fails: by-hand
#include "learn.h"

void temperature(std::span<float> shares, std::span<const float> logits, float t) {
  float highest = logits[0];
  for (float l : logits) highest = std::max(highest, l);
  float sum = 0;
  for (std::size_t i = 0; i < logits.size(); i++) {
    shares[i] = std::exp(logits[i] - highest) / t;
    sum += shares[i];
  }
  for (float& s : shares) s /= sum;
}
