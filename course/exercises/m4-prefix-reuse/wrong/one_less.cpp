// cause: always-one-less
// fails: by-hand
#include "learn.h"

std::size_t reuse(std::span<const std::int32_t> kept, std::span<const std::int32_t> wanted) {
  std::size_t common = 0;
  while (common < kept.size() && common < wanted.size() && kept[common] == wanted[common]) ++common;
  return common == 0 ? 0 : common - 1;
}
