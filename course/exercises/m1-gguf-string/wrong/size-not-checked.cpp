// cause: size-not-checked
// fails: by-hand
#include "learn.h"

std::string gguf_string(std::span<const std::uint8_t> bytes) {
  std::uint64_t length = 0;
  std::memcpy(&length, bytes.data(), 8);
  if (length > bytes.size() - 8) return "";
  return std::string(reinterpret_cast<const char*>(bytes.data()) + 8, length);
}
