// cause: by-likelihood
// fails: by-hand
#include "learn.h"

std::vector<std::int32_t> top_k(std::span<const float> logits, std::uint32_t k) {
  std::vector<std::int32_t> ids(logits.size());
  std::iota(ids.begin(), ids.end(), 0);
  std::stable_sort(ids.begin(), ids.end(), [&](int a, int b) { return logits[a] > logits[b]; });
  if (k == 0 || k >= ids.size()) return ids;
  std::size_t end = k;
  while (end < ids.size() && logits[ids[end]] == logits[ids[k - 1]]) ++end;
  ids.resize(end);
  return ids;
}
