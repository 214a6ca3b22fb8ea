// cause: highest-not-taken-away
// fails: by-hand
#include "learn.h"

void temperature(std::span<float> shares, std::span<const float> logits, float t) {
  float sum = 0;
  for (std::size_t i = 0; i < logits.size(); i++) {
    shares[i] = std::exp(logits[i] / t);
    sum += shares[i];
  }
  for (float& s : shares) s /= sum;
}
