// cause: rope-pairing
// fails: by-hand
#include "learn.h"

void rope(std::span<float> head, std::size_t position, std::span<const float> frequencies) {
  for (std::size_t i = 0; i < head.size(); i += 2) {
    const float angle = frequencies[i / 2] * static_cast<float>(position);
    const std::array<float, 2> pair{head[i], head[i + 1]};
    head[i] = std::cos(angle) * pair[0] - std::sin(angle) * pair[1];
    head[i + 1] = std::sin(angle) * pair[0] + std::cos(angle) * pair[1];
  }
}
