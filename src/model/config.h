// What a model's files say about its shape, in one form for every family and both file formats.  Milestone M2.
//
// Each difference between families is a value here, is folded at load (WeightLayout), or is an optional tensor whose
// presence is the flag. No family's name is known outside model/families/.
#pragma once

#include <cstddef>
#include <string>
#include <string_view>
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

// Whether the head is a tensor of its own: it must be there; only if it is there (GGUF has no setting for it); or it is
// the embedding, unless the file holds both and they differ (`tie_word_embeddings`).
enum class Head { own, if_there, tied };

// The two ways in which files spell the tensors (model/tensor_table.h has both).
enum class Spelling { hub, gguf };

// How the file spells the tensors, which there are, and what must be folded at load.
struct WeightLayout {
  Spelling spelling = Spelling::hub;
  // Where a family has another name on the hub than the table: {"ffn_norm", "pre_feedforward_layernorm"}, the first
  // being GGUF's, which no two tensors share.
  std::vector<std::pair<std::string_view, std::string_view>> other_names = {};
  Presence qkv_bias = Presence::never;
  Presence output_bias = Presence::never;
  Presence mlp_bias = Presence::never;
  Presence qk_norm = Presence::never;
  Presence post_norms = Presence::never;
  Head head = Head::if_there;
  bool norm_plus_one = false;   // the file holds w where the formula has 1 + w
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
