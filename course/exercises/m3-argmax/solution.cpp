#include "learn.h"

// logits[V], V ≥ 1.  Result: the id of the highest one; of equals the smallest id.
std::int32_t argmax(std::span<const float> logits) {
  std::size_t best = 0;
  for (std::size_t i = 1; i < logits.size(); ++i) {
    if (logits[i] > logits[best]) best = i;
  }
  return static_cast<std::int32_t>(best);
}
