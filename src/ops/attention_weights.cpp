#include "ops/attention_weights.h"

#include <algorithm>
#include <cmath>

namespace rung {

std::vector<float> attention_weights(Tensor<const float, Tokens, Heads, HeadDim> q,
                                     Tensor<const float, Tokens, KvHeads, HeadDim> k,
                                     const AttentionSettings& settings) {
  const std::size_t tokens = q.extent<Tokens>(), heads = q.extent<Heads>(), head_dim = q.extent<HeadDim>();
  std::vector<float> weights(heads * tokens * tokens);
  std::vector<double> scores(tokens);
  for (std::size_t h = 0; h < heads; ++h) {
    const std::size_t group = h * k.extent<KvHeads>() / heads;
    for (std::size_t t = 0; t < tokens; ++t) {
      const std::size_t first = settings.window_tokens == 0 ? 0 : t + 1 - std::min(t + 1, settings.window_tokens);
      double greatest = -INFINITY, sum = 0;
      for (std::size_t j = first; j <= t; ++j) {
        double dot = 0;
        for (std::size_t i = 0; i < head_dim; ++i) {
          dot += static_cast<double>(q[t][h][i]) * static_cast<double>(k[j][group][i]);
        }
        scores[j] = dot * static_cast<double>(settings.scale);
        greatest = std::max(greatest, scores[j]);
      }
      for (std::size_t j = first; j <= t; ++j) sum += scores[j] = std::exp(scores[j] - greatest);
      for (std::size_t j = first; j <= t; ++j) {
        weights[(h * tokens + t) * tokens + j] = static_cast<float>(scores[j] / sum);
      }
    }
  }
  return weights;
}

}  // namespace rung
