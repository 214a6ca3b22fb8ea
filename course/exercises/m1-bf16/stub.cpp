#include "learn.h"

// in[N]: the bits of bf16 numbers.  out[N]: the same numbers as floats.
void bf16_to_f32(std::span<float> out, std::span<const std::uint16_t> in) {
  not_yet("bf16_to_f32");
}
