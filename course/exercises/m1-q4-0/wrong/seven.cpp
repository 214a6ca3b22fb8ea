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
  const float scale = f16_to_f32(block[1] << 8 | block[0]);
  for (std::size_t i = 0; i < 32; ++i) {
    const int code = i < 16 ? block[2 + i] % 16 : block[2 + i - 16] / 16;
    out[i] = scale * static_cast<float>(code - 7);
  }
}
