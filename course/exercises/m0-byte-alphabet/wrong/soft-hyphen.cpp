// cause: soft-hyphen-seen
// fails: by-hand
#include "learn.h"

std::uint32_t letter_of_byte(std::uint32_t byte) {
  std::uint32_t hidden = 0;
  for (std::uint32_t b = 0; b <= byte; ++b) {
    const bool seen = (b > 32 && b < 127) || b > 160;
    if (b == byte) return seen ? byte : 256 + hidden;
    if (!seen) hidden++;
  }
  return 0;
}
