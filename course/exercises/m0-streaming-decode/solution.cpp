#include "learn.h"

// bytes[N]: UTF-8 that may end in the middle of a character.  Result: how many bytes, from the first on, may be shown.
std::uint32_t whole_bytes(std::span<const std::uint8_t> bytes) {
  const std::size_t size = bytes.size();
  std::size_t whole = size;
  for (std::size_t back = 1; back <= 3 && back <= size; ++back) {
    const std::uint8_t byte = bytes[size - back];
    if (byte >= 0x80 && byte < 0xc0) continue;  // it goes on: its first byte lies further back
    const std::size_t length = byte < 0x80 ? 1 : byte < 0xe0 ? 2 : byte < 0xf0 ? 3 : 4;
    if (length > back) whole = size - back;
    break;
  }
  return static_cast<std::uint32_t>(whole);
}
