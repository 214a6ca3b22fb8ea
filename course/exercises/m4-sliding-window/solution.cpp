#include "learn.h"

// The first position that the token at `position` may look at. `window` counts the token itself; 0: no window.
std::size_t first_seen(std::size_t position, std::size_t window) {
  const std::size_t before = position + 1;  // tokens up to this one, itself included
  if (window == 0 || before <= window) return 0;
  return before - window;
}
