// cause: count-of-four-bytes
// fails: by-hand
#include "learn.h"

std::uint64_t read(std::span<const std::uint8_t> bytes, std::size_t at, std::size_t size) {
  std::uint64_t value = 0;
  for (std::size_t i = 0; i < size && at + i < bytes.size(); i++) {
    value |= static_cast<std::uint64_t>(bytes[at + i]) << (8 * i);
  }
  return value;
}

std::string gguf_array_string(std::span<const std::uint8_t> bytes, std::uint32_t index) {
  if (read(bytes, 0, 4) != 8 || index >= read(bytes, 4, 4)) return "";
  std::size_t at = 8;
  for (std::uint32_t i = 0; at + 8 <= bytes.size(); i++) {
    const std::uint64_t length = read(bytes, at, 8);
    at += 8;
    if (length > bytes.size() - at) break;
    if (i == index) {
      return std::string(reinterpret_cast<const char*>(bytes.data()) + at, static_cast<std::size_t>(length));
    }
    at += static_cast<std::size_t>(length);
  }
  return "";
}
