// cause: order-ignored
// fails: by-hand
#include "learn.h"

std::vector<std::int32_t> merge(std::span<const std::int32_t> ids, std::span<const std::int32_t> merges) {
  std::vector<std::int32_t> pieces(ids.begin(), ids.end());
  bool changed = true;
  while (changed) {
    changed = false;
    for (std::size_t i = 0; i + 1 < pieces.size() && !changed; i++) {
      for (std::size_t m = 0; m + 2 < merges.size() && !changed; m += 3) {
        if (pieces[i] == merges[m] && pieces[i + 1] == merges[m + 1]) {
          pieces[i] = merges[m + 2];
          pieces.erase(pieces.begin() + static_cast<int>(i) + 1);
          changed = true;
        }
      }
    }
  }
  return pieces;
}
