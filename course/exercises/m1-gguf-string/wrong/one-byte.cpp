// cause: length-of-one-byte
// fails: by-hand
#include "learn.h"

std::string gguf_string(std::span<const std::uint8_t> bytes) {
  if (bytes.size() < 8) return "";
  const std::size_t length = bytes[0];
  if (length > bytes.size() - 8) return "";
  return std::string(bytes.begin() + 8, bytes.begin() + 8 + static_cast<std::ptrdiff_t>(length));
}
