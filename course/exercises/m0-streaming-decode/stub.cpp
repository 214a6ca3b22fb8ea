#include "learn.h"

// bytes[N]: UTF-8 that may end in the middle of a character.  Result: how many bytes, from the first on, may be shown.
// First bytes: 00 … 7f of one, c0 … df of two, e0 … ef of three, f0 … f7 of four; 80 … bf go on.
std::uint32_t whole_bytes(std::span<const std::uint8_t> bytes) { not_yet("whole_bytes"); }
