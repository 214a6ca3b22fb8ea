// cause: until-a-zero
// fails: by-hand
#include "learn.h"

std::string gguf_string(std::span<const std::uint8_t> bytes) {
  std::string text;
  for (std::size_t i = 8; i < bytes.size() && bytes[i] != 0; i++) text += static_cast<char>(bytes[i]);
  return text;
}
