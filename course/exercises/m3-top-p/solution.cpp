#include "learn.h"

// shares[V], V ≥ 1, together 1; 0 < p ≤ 1.
// Result: the ids of the likeliest that reach p together; ascending.  p = 1: all.
std::vector<std::int32_t> top_p(std::span<const float> shares, float p) {
  std::vector<std::int32_t> ids(shares.size());
  std::iota(ids.begin(), ids.end(), 0);
  if (p >= 1) return ids;
  const auto share = [&](std::int32_t id) { return shares[static_cast<std::size_t>(id)]; };
  std::sort(ids.begin(), ids.end(), [&](std::int32_t a, std::int32_t b) {
    return share(a) > share(b) || (share(a) == share(b) && a < b);  // of equals the smaller id first
  });
  std::size_t kept = 0;
  for (double sum = 0; kept < ids.size() && sum < static_cast<double>(p); ++kept) {
    sum += static_cast<double>(share(ids[kept]));
  }
  ids.resize(kept);
  std::sort(ids.begin(), ids.end());
  return ids;
}
