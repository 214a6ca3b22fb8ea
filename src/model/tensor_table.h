// The one table of a model's tensors: for each its place in a Model, its names in both file formats, and what is
// special about it.  Milestone M2.
//
// Whatever goes through all tensors reads from here: binding them to a file, counting their bytes and operations,
// measuring which of their columns matter, writing them as GGUF. Shapes are in the places' types: Weight<QueryDim,
// Hidden> has QueryDim rows of Hidden columns. So a new member of a layer is one line in DecoderLayer, and one here.
// What an MLP is made of stands in mlp.h.
#pragma once

#include <cstddef>
#include <optional>

#include "model/mlp.h"
#include "model/model.h"
#include "model/weight_layout.h"

namespace rung {

// f(entry, place) for each tensor of a layer, in the order in which it needs them. A place is a Weight, a Norm or an
// optional Norm; const where the layer is.
template <class Layer, class F>
void for_each_layer_tensor(Layer& l, const F& f) {
  using E = TensorEntry;
  using W = WeightLayout;
  f(E{.hub = "input_layernorm", .gguf = "attn_norm"}, l.attention_norm);
  f(E{.hub = "self_attn.q_proj", .gguf = "attn_q", .bias = &W::qkv_bias, .turned_by_rope = true}, l.q);
  f(E{.hub = "self_attn.k_proj", .gguf = "attn_k", .bias = &W::qkv_bias, .turned_by_rope = true}, l.k);
  f(E{.hub = "self_attn.v_proj", .gguf = "attn_v", .bias = &W::qkv_bias}, l.v);
  f(E{.hub = "self_attn.o_proj", .gguf = "attn_output", .bias = &W::output_bias}, l.o);
  f(E{.hub = "self_attn.q_norm", .gguf = "attn_q_norm", .norm = &W::qk_norm, .along_head = true}, l.q_norm);
  f(E{.hub = "self_attn.k_norm", .gguf = "attn_k_norm", .norm = &W::qk_norm, .along_head = true}, l.k_norm);
  f(E{.hub = "post_attention_layernorm", .gguf = "post_attention_norm", .norm = &W::post_norms}, l.attention_post_norm);
  f(E{.hub = "post_attention_layernorm", .gguf = "ffn_norm"}, l.mlp_norm);  // its name where there is no norm behind
  for_each_mlp_tensor(l.mlp, f);
  f(E{.hub = "post_feedforward_layernorm", .gguf = "post_ffw_norm", .norm = &W::post_norms}, l.mlp_post_norm);
}

inline constexpr TensorEntry kEmbeddingEntry{.hub = "model.embed_tokens", .gguf = "token_embd"};
inline constexpr TensorEntry kHeadEntry{.hub = "lm_head", .gguf = "output"};

// f(entry, layer, place) for each tensor of a model; a head that is the embedding is not another one.
template <class AModel, class F>
void for_each_tensor(AModel& m, const F& f) {
  f(kEmbeddingEntry, LayerIndex{}, m.embedding);
  for (std::size_t i = 0; i < m.layers.size(); ++i) {
    for_each_layer_tensor(m.layers[i], [&](const TensorEntry& e, auto& place) { f(e, LayerIndex{i}, place); });
  }
  f(TensorEntry{.hub = "model.norm", .gguf = "output_norm"}, LayerIndex{}, m.final_norm);
  if (!m.tied) f(kHeadEntry, LayerIndex{}, m.head);
}

// The matrix or the norm of a place; nullptr: this place holds another kind, or nothing.
template <class Out, class In>
const PackedMatrix* matrix_of(const Weight<Out, In>& w) {
  return &w.matrix;
}
inline const PackedMatrix* matrix_of(const Norm&) { return nullptr; }
inline const PackedMatrix* matrix_of(const std::optional<Norm>&) { return nullptr; }
template <class Out, class In>
const Norm* norm_of(const Weight<Out, In>&) {
  return nullptr;
}
inline const Norm* norm_of(const Norm& n) { return &n; }
inline const Norm* norm_of(const std::optional<Norm>& n) { return n ? &*n : nullptr; }

}  // namespace rung
