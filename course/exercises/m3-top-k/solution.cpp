#include "learn.h"

// logits[V], V ≥ 1.  Result: the ids of the k highest, and of what equals the last of them; ascending.  k = 0: all.
std::vector<std::int32_t> top_k(std::span<const float> logits, std::uint32_t k) {
  std::vector<float> sorted(logits.begin(), logits.end());
  std::sort(sorted.rbegin(), sorted.rend());  // backwards: the highest first
  const float least = k == 0 || k > sorted.size() ? sorted.back() : sorted[k - 1];
  std::vector<std::int32_t> ids;
  for (std::size_t i = 0; i < logits.size(); ++i) {
    if (logits[i] >= least) ids.push_back(static_cast<std::int32_t>(i));
  }
  return ids;
}
