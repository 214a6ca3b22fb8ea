#include "learn.h"

// keys, values: [room, width]; k, v: [width], of the token at this position. They become row `position`.
void append(std::span<float> keys, std::span<float> values, std::span<const float> k, std::span<const float> v,
            std::size_t position) {
  const std::size_t width = k.size();
  for (std::size_t i = 0; i < width; ++i) {
    keys[position * width + i] = k[i];
    values[position * width + i] = v[i];
  }
}
