// cause: last-left-out
// fails: by-hand
#include "learn.h"

std::int32_t argmax(std::span<const float> logits) {
  std::size_t best = 0;
  for (std::size_t i = 1; i + 1 < logits.size(); i++) {
    if (logits[i] > logits[best]) best = i;
  }
  return static_cast<std::int32_t>(best);
}
