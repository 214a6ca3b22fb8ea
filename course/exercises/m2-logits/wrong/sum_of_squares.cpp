// cause: rms-norm-sum
// fails: by-hand
#include "learn.h"

void logits(std::span<float> out, std::span<const float> x, std::span<const float> norm, std::span<const float> head,
            float epsilon) {
  float squares = epsilon;
  for (const float v : x) squares += v * v;
  for (std::size_t v = 0; v < out.size(); ++v) {
    out[v] = 0;
    for (std::size_t i = 0; i < x.size(); ++i) out[v] += head[v * x.size() + i] * x[i] * norm[i] / std::sqrt(squares);
  }
}
