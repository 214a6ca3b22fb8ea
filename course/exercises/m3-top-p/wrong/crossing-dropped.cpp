// cause: crossing-token-dropped
// fails: by-hand
#include "learn.h"

std::vector<std::int32_t> top_p(std::span<const float> shares, float p) {
  std::vector<std::size_t> order(shares.size());
  std::iota(order.begin(), order.end(), 0);
  std::sort(order.begin(), order.end(), [&](std::size_t a, std::size_t b) {
    return shares[a] != shares[b] ? shares[a] > shares[b] : a < b;
  });
  std::vector<std::int32_t> ids;
  double sum = 0;
  for (std::size_t id : order) {
    sum += shares[id];
    if (p < 1 && sum > p) break;
    ids.push_back(static_cast<std::int32_t>(id));
  }
  std::sort(ids.begin(), ids.end());
  return ids;
}
