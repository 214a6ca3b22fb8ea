#include "learn.h"

bool can_be_seen(std::uint32_t byte) {
  return (byte >= 33 && byte <= 126) || (byte >= 161 && byte <= 172) || byte >= 174;
}

// A byte, 0 to 255 → the number of the character that it is written as.
std::uint32_t letter_of_byte(std::uint32_t byte) {
  if (can_be_seen(byte)) return byte;
  std::uint32_t letter = 256;
  for (std::uint32_t before = 0; before < byte; ++before) {
    if (!can_be_seen(before)) ++letter;  // it took this one
  }
  return letter;
}
