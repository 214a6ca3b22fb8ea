#include "learn.h"

// ids[N]: the letters of a word.  merges[M · 3]: left, right, joined; the lowest rank first.
std::vector<std::int32_t> merge(std::span<const std::int32_t> ids, std::span<const std::int32_t> merges) {
  std::vector<std::int32_t> pieces(ids.begin(), ids.end());
  const std::size_t none = merges.size() / 3;
  for (;;) {
    std::size_t best_rank = none, best_place = 0;
    for (std::size_t i = 0; i + 1 < pieces.size(); ++i) {
      for (std::size_t rank = 0; rank < best_rank; ++rank) {
        if (merges[3 * rank] == pieces[i] && merges[3 * rank + 1] == pieces[i + 1]) {
          best_rank = rank;  // ends this loop: only a lower rank would be better
          best_place = i;
        }
      }
    }
    if (best_rank == none) return pieces;
    pieces[best_place] = merges[3 * best_rank + 2];
    pieces.erase(pieces.begin() + static_cast<std::ptrdiff_t>(best_place) + 1);
  }
}
