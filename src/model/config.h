// What a model's files say about its shape, in one form for every family and both file formats.  Milestone M2.
//
// Each difference between families is a value here, is folded at load (WeightLayout), or is an optional tensor whose
// presence is the flag. No family's name is known outside model/families/.
#pragma once

#include <cstddef>
#include <functional>
#include <string>
#include <string_view>
#include <utility>
#include <vector>

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
  std::size_t intermediate_size = 0;
  std::size_t heads = 0;
  std::size_t kv_heads = 0;
  std::size_t head_dim = 0;
  std::size_t context = 0;  // tokens that the model was made for: a session's, where nobody says another
  float norm_epsilon = 0;
  float embedding_scale = 1;
  Activation activation = Activation::silu;
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
  std::vector<std::string> ignored_prefixes = {};   // buffers that are computed, or read elsewhere
  std::vector<std::string> left_out_prefixes = {};  // of the parts for pictures: the text part runs without them

  bool leaves_out(std::string_view tensor) const {
    for (const std::string& prefix : left_out_prefixes) {
      if (tensor.starts_with(prefix)) return true;
    }
    return false;
  }
};

struct ModelPlan {
  ModelConfig config;
  WeightLayout layout;
};

}  // namespace rung
