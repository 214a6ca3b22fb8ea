// cause: not-sorted
// fails: by-hand
#include "learn.h"

std::vector<std::int32_t> top_p(std::span<const float> shares, float p) {
  std::vector<std::int32_t> ids;
  double sum = 0;
  for (std::size_t i = 0; i < shares.size() && (p >= 1 || sum < p); i++) {
    ids.push_back(static_cast<std::int32_t>(i));
    sum += shares[i];
  }
  return ids;
}
