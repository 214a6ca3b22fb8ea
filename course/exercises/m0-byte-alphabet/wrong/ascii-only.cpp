// cause: only-ascii-seen
// fails: by-hand
#include "learn.h"

std::uint32_t letter_of_byte(std::uint32_t byte) {
  if (byte > 32 && byte < 127) return byte;
  if (byte <= 32) return 256 + byte;
  return 256 + 33 + (byte - 127);  // everything above ASCII
}
