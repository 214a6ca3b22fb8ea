// cause: missing-final-norm
// fails: by-hand
#include "learn.h"

void logits(std::span<float> out, std::span<const float> x, std::span<const float> /*norm*/,
            std::span<const float> head, float /*epsilon*/) {
  const std::size_t hidden = x.size();
  for (std::size_t v = 0; v < out.size(); ++v) {
    float sum = 0;
    for (std::size_t i = 0; i < hidden; ++i) sum += x[i] * head[v * hidden + i];
    out[v] = sum;
  }
}
