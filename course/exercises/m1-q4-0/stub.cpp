#include "learn.h"

// Given: the bits of an f16 → a float.  std::ldexp(a, n) is a · 2ⁿ.
// 1.fraction · 2^(exponent − 15), the fraction of ten bits: (1024 + fraction) / 1024 · …, so 10 more off: − 25.
// Exponent 0: 0.fraction · 2⁻¹⁴, so fraction · 2⁻²⁴. Exponent 31, infinity and NaN, no scale has.
float f16_to_f32(std::uint32_t bits) {
  const float sign = bits & 0x8000 ? -1.0f : 1.0f;
  const int exponent = bits >> 10 & 0x1f;
  const float fraction = static_cast<float>(bits & 0x3ff);
  return sign * (exponent == 0 ? std::ldexp(fraction, -24) : std::ldexp(1024 + fraction, exponent - 25));
}

// block[18]: scale (f16, lowest byte first), 16 bytes of two codes: weight j in the lower four bits, weight j + 16 in
// the upper four.  out[32]: scale · (code − 8).
void q4_0_block(std::span<float> out, std::span<const std::uint8_t> block) {
  not_yet("q4_0_block");
}
