// cause: four-bytes-forgotten
// fails: by-hand
#include "learn.h"

std::uint32_t whole_bytes(std::span<const std::uint8_t> bytes) {
  std::uint32_t i = 0;
  while (i < bytes.size()) {
    std::uint32_t length = 1;
    if (bytes[i] >= 0xe0) {
      length = 3;
    } else if (bytes[i] >= 0xc0) {
      length = 2;
    }
    if (i + length > bytes.size()) break;
    i += length;
  }
  return i;
}
