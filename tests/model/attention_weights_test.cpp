// The weights that `rung trace --heads` shows are those of the official implementation: weights · v is its attention.
#include "ops/attention_weights.h"

#include <gtest/gtest.h>

#include <cmath>

#include "model/golden_model.h"
#include "paths.h"

namespace rung {
namespace {

TEST(AttentionWeights, TimesTheValuesGiveTheOfficialAttention) {
  for (const char* name : {"llama", "qwen3-window", "gemma3"}) {  // grouped queries, a window, a scale of its own
    const std::filesystem::path folder = golden_folder() / "models" / name;
    const Golden golden(folder);
    const ModelConfig config = GoldenFiles(folder).plan.config;
    const auto official = [&](const std::string& checkpoint) {
      return read_values(golden.values.tensors().at("layer.0." + checkpoint));
    };
    const std::vector<float> q = official("q_rope"), k = official("k_rope"), v = official("v"),
                             attention = official("attention");
    const std::size_t tokens = golden.ids.size(), heads = config.heads, kv_heads = config.kv_heads,
                      head_dim = config.head_dim;
    const std::vector<float> weights = attention_weights(
        {q.data(), {tokens, heads, head_dim}}, {k.data(), {tokens, kv_heads, head_dim}}, config.layers[0].attention);

    double difference = 0, size = 0;
    for (std::size_t t = 0; t < tokens; ++t) {
      for (std::size_t h = 0; h < heads; ++h) {
        for (std::size_t i = 0; i < head_dim; ++i) {
          double sum = 0;
          for (std::size_t j = 0; j < tokens; ++j) {
            const float value = v[(j * kv_heads + h * kv_heads / heads) * head_dim + i];
            sum += static_cast<double>(weights[(h * tokens + t) * tokens + j]) * static_cast<double>(value);
          }
          const auto expected = static_cast<double>(attention[(t * heads + h) * head_dim + i]);
          difference += (sum - expected) * (sum - expected);
          size += expected * expected;
        }
      }
    }
    EXPECT_LE(std::sqrt(difference), 1e-5 * std::sqrt(size)) << name;
  }
}

}  // namespace
}  // namespace rung
