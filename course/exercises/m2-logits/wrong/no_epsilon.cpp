// cause: rms-norm-epsilon-missing
// fails: by-hand
#include "learn.h"

void logits(std::span<float> out, std::span<const float> x, std::span<const float> norm, std::span<const float> head,
            float /*epsilon*/) {
  const std::size_t hidden = x.size();
  float squares = 0;
  for (const float value : x) squares += value * value;
  const float root = std::sqrt(squares / static_cast<float>(hidden));

  std::vector<float> normed(hidden);
  for (std::size_t i = 0; i < hidden; ++i) normed[i] = x[i] / root * norm[i];

  for (std::size_t v = 0; v < out.size(); ++v) {
    float sum = 0;
    for (std::size_t i = 0; i < hidden; ++i) sum += normed[i] * head[v * hidden + i];
    out[v] = sum;
  }
}
