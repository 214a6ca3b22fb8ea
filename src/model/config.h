// What a model's files say about its shape, in one form for every family and both file formats.  Milestone M2.
//
// Each difference between families is a value here, is folded at load (WeightLayout), or is an optional tensor whose
// presence is the flag. No family's name is known outside model/families/.
#pragma once

#include <cstddef>
#include <string>
#include <utility>
#include <vector>

#include "ops/ops.h"

namespace rung {

struct LayerConfig {
  AttentionSettings attention;
  std::size_t rope = 0;  // index into ModelConfig::ropes
};

struct ModelConfig {
  std::string family;  // "llama", "qwen3", …: for people to read
  std::size_t vocab_size = 0;
  std::size_t hidden_size = 0;
  std::size_t intermediate_size = 0;
  std::size_t heads = 0;
  std::size_t kv_heads = 0;
  std::size_t head_dim = 0;
  std::size_t context = 0;  // tokens that the model was made for
  float norm_epsilon = 0;
  float embedding_scale = 1;
  Activation activation = Activation::silu;
  std::vector<Rope> ropes;
  std::vector<std::string> rope_names;  // of each: "default, theta 100000", for `rung inspect`
  std::vector<LayerConfig> layers;
};

// Whether a tensor may, must or must not be in the file.
enum class Presence { never, optional, required };

// How the file spells the tensors, and what must be folded at load.
struct WeightLayout {
  // Each name without ".weight" / ".bias"; those of a layer without the prefix and number.
  std::string embedding, layer_prefix, attention_norm, q, k, v, o, q_norm, k_norm, attention_post_norm, mlp_norm, gate,
      up, down, mlp_post_norm, final_norm, head;
  Presence qkv_bias = Presence::never;
  Presence output_bias = Presence::never;
  Presence mlp_bias = Presence::never;
  Presence qk_norm = Presence::never;
  Presence post_norms = Presence::never;
  Presence separate_head = Presence::optional;  // never: tied, whatever the file holds
  bool norm_plus_one = false;                   // the file holds w where the formula has 1 + w
  bool interleaved_qk = false;  // rows of q and k stand in the order of (2i, 2i+1) pairs: taken back to halves
  // in the file → here: {"language_model.model.", "model."}
  std::vector<std::pair<std::string, std::string>> renamed_prefixes = {};
  std::vector<std::string> ignored_prefixes = {};  // tensors of other modalities, buffers that are computed
};

struct ModelPlan {
  ModelConfig config;
  WeightLayout layout;
};

}  // namespace rung
