// cause: bytes-swapped
// fails: by-hand
#include "learn.h"

void bf16_to_f32(std::span<float> out, std::span<const std::uint16_t> in) {
  for (std::size_t i = 0; i < in.size(); i++) {
    // lowest byte first, so the second one belongs below
    const std::uint32_t low = in[i] >> 8, high = in[i] & 0xff;
    out[i] = std::bit_cast<float>(high << 24 | low << 16);
  }
}
