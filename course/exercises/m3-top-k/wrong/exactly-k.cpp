// cause: equals-dropped
// fails: by-hand
#include "learn.h"

std::vector<std::int32_t> top_k(std::span<const float> logits, std::uint32_t k) {
  std::vector<std::int32_t> ids(logits.size());
  for (std::size_t i = 0; i < ids.size(); i++) ids[i] = static_cast<std::int32_t>(i);
  if (k == 0 || k >= ids.size()) return ids;
  std::sort(ids.begin(), ids.end(), [&](std::int32_t a, std::int32_t b) {
    const float x = logits[static_cast<std::size_t>(a)], y = logits[static_cast<std::size_t>(b)];
    return x > y || (x == y && a < b);
  });
  ids.resize(k);
  std::sort(ids.begin(), ids.end());
  return ids;
}
