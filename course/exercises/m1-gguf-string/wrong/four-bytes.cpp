// cause: length-of-four-bytes
// fails: by-hand
#include "learn.h"

std::string gguf_string(std::span<const std::uint8_t> bytes) {
  if (bytes.size() < 4) return "";
  std::uint32_t length = 0;
  for (std::size_t i = 0; i < 4; i++) length |= static_cast<std::uint32_t>(bytes[i]) << (8 * i);
  if (length > bytes.size() - 4) return "";
  return std::string(reinterpret_cast<const char*>(bytes.data()) + 4, length);
}
