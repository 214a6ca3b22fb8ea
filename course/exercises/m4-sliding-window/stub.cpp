#include "learn.h"

// The first position that the token at `position` may look at. `window` counts the token itself; 0: no window.
std::size_t first_seen(std::size_t position, std::size_t window) {
  not_yet("first_seen");
  return 0;
}
