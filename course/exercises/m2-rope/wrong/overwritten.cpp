// cause: overwritten-too-early
// fails: by-hand
#include "learn.h"

void rope(std::span<float> head, std::size_t position, std::span<const float> frequencies) {
  const std::size_t half = frequencies.size();
  for (std::size_t i = 0; i < half; ++i) {
    const float angle = static_cast<float>(position) * frequencies[i];
    head[i] = head[i] * std::cos(angle) - head[i + half] * std::sin(angle);
    head[i + half] = head[i + half] * std::cos(angle) + head[i] * std::sin(angle);
  }
}
