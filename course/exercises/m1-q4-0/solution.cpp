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

// block[18]: scale (f16, lowest byte first), 16 bytes of two codes: weight j in the lower four bits, weight j + 16 in
// the upper four.  out[32]: scale · (code − 8).
void q4_0_block(std::span<float> out, std::span<const std::uint8_t> block) {
  const std::uint32_t low = block[0], high = block[1];
  const float scale = f16_to_f32(high << 8 | low);
  for (std::size_t j = 0; j < 16; ++j) {
    const int lower = block[2 + j] & 0x0f, upper = block[2 + j] >> 4;
    out[j] = scale * static_cast<float>(lower - 8);
    out[j + 16] = scale * static_cast<float>(upper - 8);
  }
}
