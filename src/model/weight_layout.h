// How files spell a model's tensors, and what must be folded when they are read.  Milestone M2.
#pragma once

#include <cstddef>
#include <optional>
#include <string>
#include <string_view>
#include <utility>
#include <vector>

namespace rung {

// Whether a tensor may, must or must not be in the file.
enum class Presence { never, optional, required };

// Whether the head is a tensor of its own: it must be there; only if it is there (GGUF has no setting for it); or it is
// the embedding, unless the file holds both and they differ (`tie_word_embeddings`).
enum class Head { own, if_there, tied };

// The two ways in which files spell the tensors (TensorEntry has both).
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

// A row of the table of tensors (model/tensor_table.h): the names, and what is special about it.
struct TensorEntry {
  std::string_view hub;                     // in a folder: model.layers.N.HUB.weight
  std::string_view gguf;                    // in a GGUF file: blk.N.GGUF.weight
  Presence WeightLayout::* bias = nullptr;  // of a matrix that may have one, HUB.bias
  Presence WeightLayout::* norm = nullptr;  // of a norm that not every family has
  bool along_head = false;                  // a norm of each head's values, not of the whole stream's
  bool turned_by_rope = false;              // a matrix whose rows come in RoPE's pairs, neighbours or halves
};

// The entry's own layer; none: the tensor stands outside of them.
using LayerIndex = std::optional<std::size_t>;

// How a file of that layout spells the tensor, without ".weight" and ".bias".
std::string spelled(const TensorEntry& entry, LayerIndex layer, const WeightLayout& layout);

}  // namespace rung
