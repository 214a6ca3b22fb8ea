#include "learn.h"

// logits[V], t > 0.  shares[V]: e^(logit / t), divided by the sum of all of them.
void temperature(std::span<float> shares, std::span<const float> logits, float t) {
  float highest = logits[0];
  for (const float logit : logits) highest = std::max(highest, logit);
  double sum = 0;  // a float would lose the small ones of many
  for (std::size_t i = 0; i < logits.size(); ++i) {
    shares[i] = std::exp((logits[i] - highest) / t);
    sum += static_cast<double>(shares[i]);
  }
  for (float& share : shares) share = static_cast<float>(static_cast<double>(share) / sum);
}
