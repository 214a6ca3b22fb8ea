#include "learn.h"

// in[N]: the bits of bf16 numbers.  out[N]: the same numbers as floats.
void bf16_to_f32(std::span<float> out, std::span<const std::uint16_t> in) {
  for (std::size_t i = 0; i < in.size(); ++i) {
    const std::uint32_t bits = static_cast<std::uint32_t>(in[i]) << 16;
    out[i] = std::bit_cast<float>(bits);
  }
}
