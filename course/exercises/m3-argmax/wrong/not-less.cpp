// cause: last-of-equals
// fails: by-hand
#include "learn.h"

std::int32_t argmax(std::span<const float> logits) {
  std::size_t best = 0;
  float highest = -std::numeric_limits<float>::infinity();
  for (std::size_t i = 0; i < logits.size(); ++i) {
    if (!(logits[i] < highest)) highest = logits[best = i];
  }
  return static_cast<std::int32_t>(best);
}
