// cause: equal-lengths
// fails: by-hand
#include "learn.h"

std::uint64_t read(std::span<const std::uint8_t> bytes, std::size_t at, std::size_t size) {
  std::uint64_t value = 0;
  for (std::size_t i = 0; i < size; i++) value |= static_cast<std::uint64_t>(bytes[at + i]) << (8 * i);
  return value;
}

std::string gguf_array_string(std::span<const std::uint8_t> bytes, std::uint32_t index) {
  if (bytes.size() < 20 || read(bytes, 0, 4) != 8 || index >= read(bytes, 4, 8)) return "";
  const auto length = static_cast<std::size_t>(read(bytes, 12, 8));
  if (length > bytes.size()) return "";
  const std::size_t at = 12 + index * (8 + length) + 8;
  if (at > bytes.size() || length > bytes.size() - at) return "";
  return std::string(reinterpret_cast<const char*>(bytes.data()) + at, length);
}
