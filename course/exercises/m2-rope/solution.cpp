#include "learn.h"

// head: [d], in place; frequencies: [d / 2].
// The pair (i, i + d/2) is turned by the angle
// position · frequencies[i].
void rope(std::span<float> head, std::size_t position, std::span<const float> frequencies) {
  const std::size_t half = frequencies.size();
  for (std::size_t i = 0; i < half; ++i) {
    const float angle = static_cast<float>(position) * frequencies[i];
    const float a = head[i], b = head[i + half];
    head[i] = a * std::cos(angle) - b * std::sin(angle);
    head[i + half] = b * std::cos(angle) + a * std::sin(angle);
  }
}
