// cause: not-a-number
// fails: by-hand
#include "learn.h"

void rms_norm(std::span<float> out, std::span<const float> x, std::span<const float> weight, float epsilon) {
  float squares = 0;
  for (const float v : x) squares += v * v;
  const float root = std::sqrt(squares / static_cast<float>(x.size()) + epsilon);
  std::vector<float> normed(out.begin(), out.end());
  for (std::size_t i = 0; i < x.size(); ++i) normed[i] = x[i] / root * weight[i];
}
