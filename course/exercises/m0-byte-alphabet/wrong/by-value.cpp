// cause: stand-in-by-value
// fails: by-hand
#include "learn.h"

std::uint32_t letter_of_byte(std::uint32_t byte) {
  if ((byte >= 33 && byte <= 126) || (byte >= 161 && byte <= 172) || byte >= 174) return byte;
  return 256 + byte;
}
