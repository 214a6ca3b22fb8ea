// cause: read-as-f16
// fails: by-hand
#include "learn.h"

void bf16_to_f32(std::span<float> out, std::span<const std::uint16_t> in) {
  for (std::size_t i = 0; i < in.size(); i++) {
    const float sign = in[i] >> 15 ? -1.0f : 1.0f;
    const int exponent = in[i] >> 10 & 0x1f;
    const float fraction = static_cast<float>(in[i] & 0x3ff);
    out[i] = exponent == 0 ? sign * std::ldexp(fraction, -24) : sign * std::ldexp(1024.0f + fraction, exponent - 25);
  }
}
