// cause: rank-in-a-byte
// fails: pebble
#include "learn.h"

std::vector<std::int32_t> merge(std::span<const std::int32_t> ids, std::span<const std::int32_t> merges) {
  std::vector<std::int32_t> pieces(ids.begin(), ids.end());
  while (true) {
    std::uint8_t best = 255;  // worse than any rank
    std::size_t place = 0;
    for (std::size_t i = 0; i + 1 < pieces.size(); i++) {
      for (std::uint8_t r = 0; r < best && r < merges.size() / 3; r++) {
        const std::size_t m = 3 * static_cast<std::size_t>(r);
        if (merges[m] == pieces[i] && merges[m + 1] == pieces[i + 1]) {
          best = r;
          place = i;
        }
      }
    }
    if (best == 255) return pieces;
    pieces[place] = merges[3 * static_cast<std::size_t>(best) + 2];
    pieces.erase(pieces.begin() + static_cast<std::ptrdiff_t>(place + 1));
  }
}
