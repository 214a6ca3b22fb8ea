// cause: one-pass
// fails: by-hand
#include "learn.h"

std::vector<std::int32_t> merge(std::span<const std::int32_t> ids, std::span<const std::int32_t> merges) {
  std::vector<std::int32_t> pieces(ids.begin(), ids.end());
  for (std::size_t r = 0; r < merges.size() / 3; r++) {
    for (std::size_t i = 0; i + 1 < pieces.size(); i++) {
      if (pieces[i] == merges[3 * r] && pieces[i + 1] == merges[3 * r + 1]) {
        pieces[i] = merges[3 * r + 2];
        pieces.erase(pieces.begin() + static_cast<std::ptrdiff_t>(i + 1));
      }
    }
  }
  return pieces;
}
