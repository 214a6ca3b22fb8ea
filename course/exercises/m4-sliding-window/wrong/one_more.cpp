// cause: window-without-itself
// fails: by-hand
#include "learn.h"

std::size_t first_seen(std::size_t position, std::size_t window) {
  if (window == 0 || position <= window) return 0;
  return position - window;
}
