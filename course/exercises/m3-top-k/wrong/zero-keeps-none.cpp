// cause: zero-keeps-none
// fails: by-hand
#include "learn.h"

std::vector<std::int32_t> top_k(std::span<const float> logits, std::uint32_t k) {
  std::vector<std::int32_t> ids;
  for (std::size_t i = 0; i < logits.size(); i++) {
    std::uint32_t higher = 0;
    for (float other : logits) {
      if (other > logits[i]) higher++;
    }
    if (higher < k) ids.push_back(static_cast<std::int32_t>(i));
  }
  return ids;
}
