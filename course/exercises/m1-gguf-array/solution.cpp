#include "learn.h"

// The number in these bytes, lowest byte first.
std::uint64_t number(std::span<const std::uint8_t> bytes) {
  std::uint64_t value = 0;
  for (std::size_t i = bytes.size(); i > 0; --i) value = value << 8 | bytes[i - 1];
  return value;
}

// bytes: element type (4 bytes; 8: string), count (8 bytes), then each string: length (8 bytes), letters.
// Result: the letters of element `index`; empty if there is none.
std::string gguf_array_string(std::span<const std::uint8_t> bytes, std::uint32_t index) {
  if (bytes.size() < 12 || number(bytes.first(4)) != 8 || index >= number(bytes.subspan(4, 8))) return "";
  std::span<const std::uint8_t> rest = bytes.subspan(12);
  for (std::uint32_t i = 0;; ++i) {
    if (rest.size() < 8) return "";
    const std::uint64_t length = number(rest.first(8));
    rest = rest.subspan(8);
    if (length > rest.size()) return "";
    const auto letters = rest.first(static_cast<std::size_t>(length));
    if (i == index) return std::string(letters.begin(), letters.end());
    rest = rest.subspan(letters.size());
  }
}
