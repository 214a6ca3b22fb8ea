// cause: last-character-held
// fails: by-hand
#include "learn.h"

std::uint32_t whole_bytes(std::span<const std::uint8_t> bytes) {
  std::size_t end = bytes.size();
  if (end == 0 || bytes[end - 1] < 0x80) return static_cast<std::uint32_t>(end);
  while (end > 0 && bytes[end - 1] >= 0x80 && bytes[end - 1] < 0xc0) end--;
  return static_cast<std::uint32_t>(end - 1);  // before the byte that began it
}
