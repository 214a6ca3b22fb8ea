// cause: shares-for-logits
// fails: by-hand
#include "learn.h"

void logits(std::span<float> out, std::span<const float> x, std::span<const float> norm, std::span<const float> head,
            float epsilon) {
  const std::size_t hidden = x.size();
  float squares = 0;
  for (const float value : x) squares += value * value;
  const float root = std::sqrt(squares / static_cast<float>(hidden) + epsilon);
  for (std::size_t v = 0; v < out.size(); ++v) {
    float sum = 0;
    for (std::size_t i = 0; i < hidden; ++i) sum += x[i] / root * norm[i] * head[v * hidden + i];
    out[v] = sum;
  }
  float largest = out[0];
  for (const float logit : out) largest = std::max(largest, logit);
  float all = 0;
  for (float& logit : out) {
    logit = std::exp(logit - largest);
    all += logit;
  }
  for (float& logit : out) logit /= all;
}
