// cause: cache-position
// fails: by-hand
#include "learn.h"

void append(std::span<float> keys, std::span<float> values, std::span<const float> k, std::span<const float> v,
            std::size_t position) {
  const std::size_t width = k.size();
  for (std::size_t i = 0; i < width; ++i) {
    keys[(position + 1) * width + i] = k[i];
    values[(position + 1) * width + i] = v[i];
  }
}
