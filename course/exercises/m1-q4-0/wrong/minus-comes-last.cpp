// cause: constant-offset
// fails: by-hand
#include "learn.h"

float f16_to_f32(std::uint32_t bits) {
  const float sign = bits & 0x8000 ? -1.0f : 1.0f;
  const int exponent = bits >> 10 & 0x1f;
  const float fraction = static_cast<float>(bits & 0x3ff);
  return sign * (exponent == 0 ? std::ldexp(fraction, -24) : std::ldexp(1024 + fraction, exponent - 25));
}

void q4_0_block(std::span<float> out, std::span<const std::uint8_t> block) {
  const float scale = f16_to_f32(block[0] | block[1] << 8);
  for (std::size_t j = 0; j < 16; ++j) {
    out[j] = scale * (block[2 + j] & 15) - 8;
    out[j + 16] = scale * (block[2 + j] >> 4) - 8;
  }
}
