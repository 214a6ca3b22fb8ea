// cause: delete-seen
// fails: by-hand
#include "learn.h"

std::uint32_t letter_of_byte(std::uint32_t byte) {
  std::uint32_t next = 256;
  for (std::uint32_t b = 0; b < 256; ++b) {
    const bool shown = (b > 32 && b < 128) || (b > 160 && b != 173);
    if (b == byte) return shown ? b : next;
    next += !shown;
  }
  return next;
}
