#include "learn.h"

int code_of(float weight, float scale) {
  if (scale == 0) return 8;
  const int code = static_cast<int>(weight / scale + 8.5f);
  return std::clamp(code, 0, 15);
}

// weights: [32], their scale → bytes: [16].
// code i = weights[i] / scale + 8, rounded, at most 15; byte j holds code j (lower half) and code j + 16 (upper half).
void quantize_block(std::span<std::uint8_t> bytes, std::span<const float> weights, float scale) {
  for (std::size_t j = 0; j < 16; ++j) {
    const int low = code_of(weights[j], scale);
    const int high = code_of(weights[j + 16], scale);
    bytes[j] = static_cast<std::uint8_t>(low | high << 4);
  }
}
