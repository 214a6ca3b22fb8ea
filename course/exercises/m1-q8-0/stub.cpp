#include "learn.h"

// Given: the bits of an f16 → a float.  std::ldexp(a, n) is a · 2ⁿ.
// The number is 1.fraction · 2^(exponent − 15). The fraction has ten bits, so 1.fraction is (1024 + fraction) · 2⁻¹⁰,
// and −15 − 10 is −25. Exponent 0: 0.fraction · 2⁻¹⁴, which is fraction · 2⁻²⁴.
// (Exponent 31 means infinity or NaN, which no scale is.)
float f16_to_f32(std::uint32_t bits) {
  const float sign = bits & 0x8000 ? -1.0f : 1.0f;
  const int exponent = bits >> 10 & 0x1f;
  const float fraction = static_cast<float>(bits & 0x3ff);
  return sign * (exponent == 0 ? std::ldexp(fraction, -24) : std::ldexp(1024 + fraction, exponent - 25));
}

// block[34]: scale (f16, lowest byte first), 32 codes, each a byte with a sign.  out[32]: scale · code.
void q8_0_block(std::span<float> out, std::span<const std::uint8_t> block) {
  not_yet("q8_0_block");
}
