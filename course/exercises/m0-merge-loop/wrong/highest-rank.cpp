// cause: highest-rank-first
// fails: by-hand
#include "learn.h"

std::vector<std::int32_t> merge(std::span<const std::int32_t> ids, std::span<const std::int32_t> merges) {
  std::vector<std::int32_t> pieces(ids.begin(), ids.end());
  while (true) {
    int best = -1;
    std::size_t place = 0;
    for (std::size_t i = 0; i + 1 < pieces.size(); i++) {
      for (int r = 0; r < static_cast<int>(merges.size() / 3); r++) {
        const std::size_t m = 3 * static_cast<std::size_t>(r);
        if (merges[m] == pieces[i] && merges[m + 1] == pieces[i + 1] && r > best) {
          best = r;
          place = i;
        }
      }
    }
    if (best < 0) return pieces;
    pieces[place] = merges[3 * static_cast<std::size_t>(best) + 2];
    pieces.erase(pieces.begin() + static_cast<std::ptrdiff_t>(place + 1));
  }
}
