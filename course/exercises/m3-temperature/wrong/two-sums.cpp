// cause: constant-factor
// fails: by-hand
#include "learn.h"

void temperature(std::span<float> shares, std::span<const float> logits, float t) {
  const float highest = *std::max_element(logits.begin(), logits.end());
  float sum = 0;
  for (const float logit : logits) sum += std::exp(logit - highest);
  for (std::size_t i = 0; i < logits.size(); ++i) shares[i] = std::exp((logits[i] - highest) / t) / sum;
}
