// cause: waits-for-ascii
// fails: by-hand
#include "learn.h"

std::uint32_t whole_bytes(std::span<const std::uint8_t> bytes) {
  std::size_t end = bytes.size();
  while (end > 0 && bytes[end - 1] >= 0x80) end--;
  return static_cast<std::uint32_t>(end);
}
