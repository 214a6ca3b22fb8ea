// cause: maximum-from-zero
// fails: by-hand
#include "learn.h"

void temperature(std::span<float> shares, std::span<const float> logits, float t) {
  float highest = 0;
  for (const float logit : logits) highest = std::max(highest, logit);
  double sum = 0;
  for (std::size_t i = 0; i < logits.size(); i++) {
    shares[i] = std::exp((logits[i] - highest) / t);
    sum += static_cast<double>(shares[i]);
  }
  for (float& share : shares) share = static_cast<float>(static_cast<double>(share) / sum);
}
