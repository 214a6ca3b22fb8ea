#include "engine/likeliest.h"

#include <algorithm>
#include <cmath>
#include <numeric>

namespace rung {

std::vector<Likely> likeliest(std::span<const float> logits, std::size_t count) {
  std::vector<TokenId> ids(logits.size());
  std::iota(ids.begin(), ids.end(), 0);
  const auto logit = [&](TokenId id) { return logits[static_cast<std::size_t>(id)]; };
  const auto end = ids.begin() + static_cast<std::ptrdiff_t>(std::min(count, ids.size()));
  std::partial_sort(ids.begin(), end, ids.end(),
                    [&](TokenId a, TokenId b) { return logit(a) > logit(b) || (logit(a) == logit(b) && a < b); });
  const double max = static_cast<double>(logit(ids.front()));
  double sum = 0;
  for (const float l : logits) sum += std::exp(static_cast<double>(l) - max);
  std::vector<Likely> likely;
  for (auto it = ids.begin(); it != end; ++it) {
    likely.push_back({*it, logit(*it), std::exp(static_cast<double>(logit(*it)) - max) / sum});
  }
  return likely;
}

}  // namespace rung
