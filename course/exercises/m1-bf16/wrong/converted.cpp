// cause: number-not-bits
// fails: by-hand
#include "learn.h"

void bf16_to_f32(std::span<float> out, std::span<const std::uint16_t> in) {
  for (std::size_t i = 0; i < in.size(); ++i) {
    const std::uint32_t bits = static_cast<std::uint32_t>(in[i]) << 16;
    out[i] = static_cast<float>(bits);
  }
}
