#include "learn.h"

// bytes: length (8 bytes, lowest first), so many letters, and whatever comes next.
// Result: the letters; empty if they are not all there.
std::string gguf_string(std::span<const std::uint8_t> bytes) {
  not_yet("gguf_string");
}
