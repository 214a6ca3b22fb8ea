#include "learn.h"

// logits[V], t > 0.  shares[V]: e^(logit / t), divided by the sum of all of them.
void temperature(std::span<float> shares, std::span<const float> logits, float t) {
  not_yet("temperature");
}
