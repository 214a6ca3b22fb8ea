// cause: length-in-part
// fails: by-hand
#include "learn.h"

std::string gguf_string(std::span<const std::uint8_t> bytes) {
  if (bytes.size() < 8) return "";
  const std::uint64_t length = bytes[0] + 256 * bytes[1] + 256 * 256 * bytes[2];
  if (length > bytes.size() - 8) return "";
  return std::string(bytes.begin() + 8, bytes.begin() + 8 + length);
}
