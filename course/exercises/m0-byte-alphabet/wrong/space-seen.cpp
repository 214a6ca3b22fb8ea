// cause: space-seen
// fails: by-hand
#include "learn.h"

bool visible(std::uint32_t b) { return (b >= 32 && b <= 126) || (b >= 161 && b <= 172) || b >= 174; }

std::uint32_t letter_of_byte(std::uint32_t byte) {
  if (visible(byte)) return byte;
  std::uint32_t n = 0;
  for (std::uint32_t b = 0; b < byte; b++) {
    if (!visible(b)) n++;
  }
  return 256 + n;
}
