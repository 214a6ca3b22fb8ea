// cause: counts-beyond-a-difference
// fails: by-hand
#include "learn.h"

std::size_t reuse(std::span<const std::int32_t> kept, std::span<const std::int32_t> wanted) {
  std::size_t common = 0;
  for (std::size_t i = 0; i < kept.size() && i + 1 < wanted.size() + 1; ++i) {
    if (i < wanted.size() && kept[i] == wanted[i]) ++common;
  }
  return std::min(common, wanted.size() - 1);
}
