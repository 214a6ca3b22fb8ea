// cause: both-signs-alike
// fails: by-hand
#include "learn.h"

void rope(std::span<float> head, std::size_t position, std::span<const float> frequencies) {
  const std::size_t half = head.size() / 2;
  for (std::size_t i = 0; i < half; ++i) {
    const float c = std::cos(frequencies[i] * static_cast<float>(position));
    const float s = std::sin(frequencies[i] * static_cast<float>(position));
    const float first = head[i], second = head[half + i];
    head[i] = first * c - second * s;
    head[half + i] = second * c - first * s;
  }
}
