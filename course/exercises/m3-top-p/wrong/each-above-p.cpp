// cause: share-of-the-likeliest
// fails: by-hand
#include "learn.h"

std::vector<std::int32_t> top_p(std::span<const float> shares, float p) {
  const float highest = *std::max_element(shares.begin(), shares.end());
  std::vector<std::int32_t> ids;
  for (std::size_t i = 0; i < shares.size(); i++) {
    if (p >= 1 || shares[i] >= (1 - p) * highest) ids.push_back(static_cast<std::int32_t>(i));
  }
  return ids;
}
