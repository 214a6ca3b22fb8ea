// cause: sum-wraps
// fails: by-hand
#include "learn.h"

std::string gguf_string(std::span<const std::uint8_t> bytes) {
  if (bytes.size() < 8) return "";
  std::uint64_t length = 0;
  for (std::size_t i = 0; i < 8; i++) length |= static_cast<std::uint64_t>(bytes[i]) << (8 * i);
  if (8 + length > bytes.size()) return "";
  std::string text;
  for (std::uint64_t i = 0; i < length && 8 + i < bytes.size(); i++) {
    text += static_cast<char>(bytes[static_cast<std::size_t>(8 + i)]);
  }
  return text;
}
