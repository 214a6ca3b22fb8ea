// cause: byte-not-widened
// fails: by-hand
#include "learn.h"

std::string gguf_string(std::span<const std::uint8_t> bytes) {
  if (bytes.size() < 8) return "";
  std::uint64_t length = 0;
  for (int i = 0; i < 8; i++) length += bytes[i] << (8 * i);
  if (length > bytes.size() - 8) return "";
  return std::string(bytes.begin() + 8, bytes.begin() + 8 + length);
}
