// The classic mistakes of people who write a forward pass, one at a time: tests must catch each, and the course shows
// what it looks like.
#pragma once

#include <span>
#include <string_view>

#include "ops/decorator.h"

namespace rung {

enum class Mistake {
  rope_pairing,     // pairs (2i, 2i+1) instead of (i, i + head_dim/2)
  query_scale,      // scores not divided by √head_dim
  causal_mask,      // a token sees the tokens after it
  cache_position,   // keys and values kept one position too late
  missing_qk_norm,  // q and k not normalised
  norm_epsilon,     // 1e-2 instead of the model's
  gqa_grouping,     // query head h reads key head h mod kv_heads instead of h·kv_heads / heads
  gate_up_swapped,  // activation(up)·gate
};

struct MistakeInfo {
  Mistake mistake;
  std::string_view name;         // "rope-pairing"
  std::string_view description;  // one line
};
std::span<const MistakeInfo> mistakes();

class BrokenOps : public OpsDecorator {
 public:
  BrokenOps(Ops& inner, Mistake mistake) : OpsDecorator(inner), mistake_(mistake) {}

  void do_rms_norm(Matrix out, ConstMatrix x, const Norm& norm) override;
  void do_rope(Tensor<float, Tokens, Heads, HeadDim> x, std::span<const std::uint32_t> positions,
               const Rope& rope) override;
  void do_store_kv(const BatchRows& rows, std::size_t layer, Tensor<const float, Tokens, KvHeads, HeadDim> k,
                   Tensor<const float, Tokens, KvHeads, HeadDim> v) override;
  void do_attention(Tensor<float, Tokens, Heads, HeadDim> out, Tensor<const float, Tokens, Heads, HeadDim> q,
                    const BatchRows& rows, std::size_t layer, const AttentionSettings& settings) override;
  void do_gate(Matrix out, ConstMatrix gate, ConstMatrix up, Activation activation) override;

 private:
  Mistake mistake_;
};

}  // namespace rung
