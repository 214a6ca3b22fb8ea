// cause: divided-by-zero
// fails: by-hand
#include "learn.h"

int code_of(float weight, float scale) { return std::min(15, static_cast<int>(weight / scale + 8.5f)); }

void quantize_block(std::span<std::uint8_t> bytes, std::span<const float> weights, float scale) {
  for (std::size_t j = 0; j < 16; ++j) {
    bytes[j] = static_cast<std::uint8_t>(code_of(weights[j], scale) | code_of(weights[j + 16], scale) << 4);
  }
}
