// cause: farthest-from-zero
// fails: by-hand
#include "learn.h"

std::int32_t argmax(std::span<const float> logits) {
  std::size_t best = 0;
  for (std::size_t i = 1; i < logits.size(); i++) {
    if (std::abs(logits[i]) > std::abs(logits[best])) best = i;
  }
  return static_cast<std::int32_t>(best);
}
