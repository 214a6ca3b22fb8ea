#include "learn.h"

// ids[N]: the letters of a word.  merges[M · 3]: left, right, joined; the lowest rank first.
// Result: the word's pieces.
std::vector<std::int32_t> merge(std::span<const std::int32_t> ids, std::span<const std::int32_t> merges) {
  not_yet("merge");
}
