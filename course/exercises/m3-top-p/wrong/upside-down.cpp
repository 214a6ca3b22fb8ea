// cause: from-the-unlikeliest
// fails: by-hand
#include "learn.h"

std::vector<std::int32_t> top_p(std::span<const float> shares, float p) {
  std::vector<std::int32_t> order(shares.size());
  std::iota(order.begin(), order.end(), 0);
  std::stable_sort(order.begin(), order.end(), [&](int a, int b) { return shares[a] < shares[b]; });
  if (p >= 1) {
    std::sort(order.begin(), order.end());
    return order;
  }
  std::vector<std::int32_t> kept;
  float together = 0;
  for (const std::int32_t id : order) {
    if (together >= p) break;
    together += shares[id];
    kept.push_back(id);
  }
  std::sort(kept.begin(), kept.end());
  return kept;
}
