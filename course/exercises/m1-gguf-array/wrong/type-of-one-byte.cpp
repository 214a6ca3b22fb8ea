// cause: type-ignored
// fails: by-hand
#include "learn.h"

std::uint64_t read(std::span<const std::uint8_t> bytes, std::size_t at, std::size_t size) {
  std::uint64_t value = 0;
  for (std::size_t i = 0; i < size; i++) value |= static_cast<std::uint64_t>(bytes.data()[at + i]) << (8 * i);
  return value;
}

std::string gguf_array_string(std::span<const std::uint8_t> bytes, std::uint32_t index) {
  if (bytes.size() < 12 || bytes[0] != 8 || index >= read(bytes, 4, 8)) return "";
  std::size_t at = 12;
  for (std::uint32_t i = 0; at <= bytes.size() && bytes.size() - at >= 8; i++) {
    const std::uint64_t length = read(bytes, at, 8);
    if (length > bytes.size() - at - 8) return "";
    if (i == index) return std::string(bytes.begin() + at + 8, bytes.begin() + at + 8 + length);
    at += 8 + length;
  }
  return "";
}
