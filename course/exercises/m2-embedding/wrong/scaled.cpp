// cause: constant-factor
// fails: by-hand
#include "learn.h"

void embed(std::span<float> out, std::span<const std::int32_t> ids, std::span<const float> table, std::size_t width) {
  const float scale = std::sqrt(static_cast<float>(width));
  for (std::size_t i = 0; i < out.size(); ++i) out[i] = scale * table[ids[i / width] * width + i % width];
}
