// cause: without-scale
// fails: by-hand
#include "learn.h"

float f16_to_f32(std::uint32_t bits) {
  const float sign = bits & 0x8000 ? -1.0f : 1.0f;
  const int exponent = bits >> 10 & 0x1f;
  const float fraction = static_cast<float>(bits & 0x3ff);
  return sign * (exponent == 0 ? std::ldexp(fraction, -24) : std::ldexp(1024 + fraction, exponent - 25));
}

void q8_0_block(std::span<float> out, std::span<const std::uint8_t> block) {
  const float scale = f16_to_f32(block[0] | block[1] << 8);
  (void)scale;
  for (int i = 2; i < 34; ++i) out[i - 2] = block[i] < 128 ? block[i] : block[i] - 256;
}
