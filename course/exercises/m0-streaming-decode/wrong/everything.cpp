// cause: half-shown
// fails: by-hand
#include "learn.h"

std::uint32_t whole_bytes(std::span<const std::uint8_t> bytes) {
  std::size_t size = bytes.size();
  // The last byte begins a character whose rest has not come.
  if (size > 0 && bytes[size - 1] >= 0xc0) size--;
  return static_cast<std::uint32_t>(size);
}
