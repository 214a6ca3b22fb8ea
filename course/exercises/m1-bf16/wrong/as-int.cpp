// cause: number-not-bits
// fails: by-hand
#include "learn.h"

void bf16_to_f32(std::span<float> out, std::span<const std::uint16_t> in) {
  for (std::size_t i = 0; i < in.size(); i++) out[i] = static_cast<float>(in[i] << 16);
}
