// cause: rope-pairing
// fails: by-hand
#include "learn.h"

void rope(std::span<float> head, std::size_t position, std::span<const float> frequencies) {
  for (std::size_t i = 0; i < frequencies.size(); ++i) {
    const float angle = static_cast<float>(position) * frequencies[i];
    const float a = head[2 * i], b = head[2 * i + 1];
    head[2 * i] = a * std::cos(angle) - b * std::sin(angle);
    head[2 * i + 1] = b * std::cos(angle) + a * std::sin(angle);
  }
}
