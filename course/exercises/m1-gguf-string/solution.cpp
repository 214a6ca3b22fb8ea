#include "learn.h"

// bytes: length (8 bytes, lowest first), so many letters, and whatever comes next.
// Result: the letters; empty if they are not all there.
std::string gguf_string(std::span<const std::uint8_t> bytes) {
  if (bytes.size() < 8) return "";
  std::uint64_t length = 0;
  for (std::size_t i = 0; i < 8; ++i) length |= static_cast<std::uint64_t>(bytes[i]) << (8 * i);
  if (length > bytes.size() - 8) return "";  // not 8 + length > size: that sum may wrap around
  const std::span<const std::uint8_t> letters = bytes.subspan(8, static_cast<std::size_t>(length));
  return std::string(letters.begin(), letters.end());
}
