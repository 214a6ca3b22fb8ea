// cause: multiplied-by-temperature
// fails: by-hand
#include "learn.h"

void temperature(std::span<float> shares, std::span<const float> logits, float t) {
  float highest = logits[0], sum = 0;
  for (float l : logits) highest = std::max(highest, l);
  for (std::size_t i = 0; i < logits.size(); i++) {
    shares[i] = std::exp((logits[i] - highest) * t);
    sum += shares[i];
  }
  for (float& s : shares) s /= sum;
}
