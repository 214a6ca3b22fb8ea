#include "learn.h"

// logits[V], V ≥ 1.  Result: the ids of the k highest, and of what equals the last of them; ascending.  k = 0: all.
std::vector<std::int32_t> top_k(std::span<const float> logits, std::uint32_t k) {
  not_yet("top_k");
}
