// cause: below-zero
// fails: by-hand
#include "learn.h"

std::size_t first_seen(std::size_t position, std::size_t window) {
  if (window == 0) return 0;
  return std::max<std::size_t>(0, position + 1 - window);
}
