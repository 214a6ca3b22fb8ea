#include "learn.h"

// bytes[N]: UTF-8 that may end in the middle of a character.  Result: how many bytes, from the first on, may be shown.
std::uint32_t whole_bytes(std::span<const std::uint8_t> bytes) {
  not_yet("whole_bytes");
}
