// cause: scale-read-as-bf16
// fails: by-hand
#include "learn.h"

void q8_0_block(std::span<float> out, std::span<const std::uint8_t> block) {
  const std::uint32_t bits = static_cast<std::uint32_t>(block[0] | block[1] << 8);
  const float scale = std::bit_cast<float>(bits << 16);
  for (std::size_t i = 0; i < 32; i++) out[i] = scale * static_cast<float>(static_cast<std::int8_t>(block[2 + i]));
}
