// cause: rightmost-of-equals
// fails: by-hand
#include "learn.h"

std::vector<std::int32_t> merge(std::span<const std::int32_t> ids, std::span<const std::int32_t> merges) {
  std::vector<std::int32_t> pieces(ids.begin(), ids.end());
  const std::size_t count = merges.size() / 3;
  while (true) {
    std::size_t best = count, place = 0;
    for (std::size_t i = 0; i + 1 < pieces.size(); i++) {
      for (std::size_t r = 0; r < count; r++) {
        const bool fits = merges[3 * r] == pieces[i] && merges[3 * r + 1] == pieces[i + 1];
        if (fits && r <= best) {
          best = r;
          place = i;
        }
      }
    }
    if (best == count) break;
    pieces[place] = merges[3 * best + 2];
    pieces.erase(pieces.begin() + static_cast<std::ptrdiff_t>(place + 1));
  }
  return pieces;
}
