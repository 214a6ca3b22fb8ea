// What a model's files say about its shape, in one form for every family and both file formats.  Milestone M2.
//
// Each difference between families is a value here, is folded at load (WeightLayout), or is an optional tensor whose
// presence is the flag. No family's name is known outside model/families/.
#pragma once

#include <cstddef>
#include <functional>
#include <string>
#include <vector>

#include "model/mlp.h"
#include "model/weight_layout.h"
#include "ops/ops.h"

namespace rung {

// How a layer turns its heads, by how many tokens its session may come to hold. Most schemes have one table. `dynamic`
// and `longrope` have another for long sessions: transformers chooses anew with every forward, so that keys in its
// cache were turned by one table and the query by the other. Here a session keeps the table that it began with.
struct SessionRope {
  Rope usual;
  std::size_t usual_tokens = 0;                                      // up to here `usual` holds, where there is …
  std::function<Rope(std::size_t context_tokens)> longer = nullptr;  // … what it becomes for more
  std::size_t most_tokens = 0;  // how far that reaches, where it is beyond the model's context

  Rope for_session(std::size_t context_tokens) const {
    return longer && context_tokens > usual_tokens ? longer(context_tokens) : usual;
  }
};

struct LayerConfig {
  AttentionSettings attention;
  std::size_t rope = 0;  // index into ModelConfig::ropes
};

struct ModelConfig {
  std::string family;  // "llama", "qwen3", …: for people to read
  std::size_t vocab_size = 0;
  std::size_t hidden_size = 0;
  std::size_t heads = 0;
  std::size_t kv_heads = 0;
  std::size_t head_dim = 0;
  std::size_t context = 0;  // tokens that the model was made for: a session's, where nobody says another
  float norm_epsilon = 0;
  float embedding_scale = 1;
  MlpSettings mlp;
  std::vector<SessionRope> ropes;
  std::vector<std::string> rope_names;  // of each: "default, theta 100000", for `rung inspect`
  std::vector<LayerConfig> layers;

  // The most tokens that a session may be asked to hold.
  std::size_t longest_context() const {
    std::size_t most = context;
    for (const SessionRope& rope : ropes) most = rope.most_tokens > most ? rope.most_tokens : most;
    return most;
  }
};

struct ModelPlan {
  ModelConfig config;
  WeightLayout layout;
};

}  // namespace rung
