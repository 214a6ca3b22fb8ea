// cause: best-begins-at-zero
// fails: by-hand
#include "learn.h"

std::int32_t argmax(std::span<const float> logits) {
  float best = -1000;
  std::int32_t id = 0;
  for (std::size_t i = 0; i < logits.size(); i++) {
    if (logits[i] > best) {
      best = logits[i];
      id = static_cast<std::int32_t>(i);
    }
  }
  return id;
}
