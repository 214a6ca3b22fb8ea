// The classic mistakes of people who write a forward pass, one at a time: tests must catch each, the debugger
// (learn/divergence.h) names them by making them, and the course shows what each looks like.
#pragma once

#include <cstddef>
#include <span>
#include <string_view>
#include <vector>

#include "ops/decorator.h"

namespace rung {

enum class Mistake {
  norm_sum,             // divided by √(Σx²) instead of √(mean(x²))
  norm_centred,         // the mean is taken away first: LayerNorm
  norm_all_tokens,      // one mean over all tokens' rows
  norm_weight,          // the weight forgotten
  norm_epsilon,         // 1e-2 instead of the model's
  missing_qk_norm,      // q and k not normalised
  missing_final_norm,   // the logits are made of x as it is
  linear_transposed,    // w[out, in] read as if it lay as [in, out]
  rope_missing,         // nothing turned
  rope_pairing,         // pairs (2i, 2i+1) instead of (i, i + head_dim/2)
  rope_backwards,       // turned the other way
  rope_in_place,        // the second number of a pair is turned with the first one's new value
  rope_position,        // positions counted from 1
  rope_frequencies,     // theta^(-i / head_dim) instead of theta^(-2i / head_dim)
  rope_queries_only,    // k not turned
  cache_position,       // keys and values kept one position too late
  keys_values_swapped,  // each kept in the other's place
  query_scale,          // scores not divided by √head_dim
  causal_mask,          // a token sees the tokens after it
  mask_one_more,        // a token sees the one after it
  mask_one_less,        // a token does not see itself
  softmax_axis,         // a key's weights, over the tokens that look at it, sum to 1, instead of a token's
  gqa_grouping,         // query head h reads key head h mod kv_heads instead of h·kv_heads / heads
  heads_transposed,     // attention's result laid out [head_dim, heads] instead of [heads, head_dim]
  gate_up_swapped,      // activation(up)·gate
  activation_missing,   // gate·up
  activation_sigmoid,   // sigmoid(gate)·up: silu's own factor forgotten
  activation_other,     // gelu for silu, silu for gelu
  residual_missing,     // a branch replaces x instead of being added to it
  residual_normed,      // a branch is added to norm(x) instead of x
  // where a family has such a thing
  embedding_scale,   // the family's scale of the embedding forgotten
  linear_bias,       // the bias forgotten
  window_forgotten,  // a layer with a window sees everything
};

struct MistakeInfo {
  Mistake mistake;
  std::string_view name;         // "rope-pairing"
  std::string_view description;  // one line
  std::string_view page;         // of the course: "m2-forward-pass#rope"
};
std::span<const MistakeInfo> mistakes();

class BrokenOps : public LookingOps {
 public:
  BrokenOps(Ops& inner, Mistake mistake) : LookingOps(inner), mistake_(mistake) {}

  void do_embed(Matrix out, std::span<const std::int32_t> ids, const PackedMatrix& table, float scale) override;
  void do_rms_norm(Matrix out, ConstMatrix x, const Norm& norm) override;
  void do_linear(Matrix out, ConstMatrix x, const PackedMatrix& w) override;
  void do_rope(Tensor<float, Tokens, Heads, HeadDim> x, std::span<const std::uint32_t> positions,
               const Rope& rope) override;
  void do_store_kv(const BatchRows& rows, std::size_t layer, Tensor<const float, Tokens, KvHeads, HeadDim> k,
                   Tensor<const float, Tokens, KvHeads, HeadDim> v) override;
  void do_attention(Tensor<float, Tokens, Heads, HeadDim> out, Tensor<const float, Tokens, Heads, HeadDim> q,
                    const BatchRows& rows, std::size_t layer, const AttentionSettings& settings) override;
  void do_gate(Matrix out, ConstMatrix gate, ConstMatrix up, Activation activation) override;
  void do_add(Matrix x, ConstMatrix y) override;

 private:
  void norm_row_by_row(Matrix out, ConstMatrix x, const Norm& norm) const;
  void turn_wrongly(Tensor<float, Tokens, Heads, HeadDim> x, std::span<const std::uint32_t> positions,
                    const Rope& rope) const;

  Mistake mistake_;
  bool keys_are_next_ = false;  // in a layer q is turned first, then k
  std::vector<float> normed_;   // what the last norm of x gave
};

}  // namespace rung
