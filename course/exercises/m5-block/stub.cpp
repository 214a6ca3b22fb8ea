#include "learn.h"

// weights: [32], their scale → bytes: [16].
// code i = weights[i] / scale + 8, rounded, at most 15; byte j holds code j (lower half) and code j + 16 (upper half).
void quantize_block(std::span<std::uint8_t> bytes, std::span<const float> weights, float scale) {
  not_yet("quantize_block");
}
