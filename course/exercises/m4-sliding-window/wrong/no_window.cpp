// cause: no-window-sees-nothing
// fails: by-hand
#include "learn.h"

std::size_t first_seen(std::size_t position, std::size_t window) {
  return position + 1 > window ? position + 1 - window : 0;
}
