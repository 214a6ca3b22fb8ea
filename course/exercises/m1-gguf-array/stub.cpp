#include "learn.h"

// bytes: element type (4 bytes; 8: string), count (8 bytes), then each string: length (8 bytes), letters.
// Result: the letters of element `index`; empty if there is none.
std::string gguf_array_string(std::span<const std::uint8_t> bytes, std::uint32_t index) {
  not_yet("gguf_array_string");
}
