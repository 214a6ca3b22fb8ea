// Sends verbs to somebody else's code: a learner's.  Milestones M2, M4, M6.
#pragma once

#include <functional>
#include <utility>

#include "ops/decorator.h"

namespace rung {

// A verb's own code, as Ops does it (ops.h); empty: the backend's. `inner`, where a verb has it, is that backend: for
// code that does a part of the verb, or only some of its calls.
struct LearnerVerbs {
  std::function<void(Matrix out, std::span<const std::int32_t> ids, const PackedMatrix& table, float scale)> embed = {};
  std::function<void(Matrix out, ConstMatrix x, const Norm& norm)> rms_norm = {};
  std::function<void(Ops& inner, Matrix out, ConstMatrix x, const PackedMatrix& w)> linear = {};
  std::function<void(Tensor<float, Tokens, Heads, HeadDim> x, std::span<const std::uint32_t> positions,
                     const Rope& rope)>
      rope = {};
  std::function<void(Ops& inner, const BatchRows& rows, std::size_t layer,
                     Tensor<const float, Tokens, KvHeads, HeadDim> k, Tensor<const float, Tokens, KvHeads, HeadDim> v)>
      store_kv = {};
  std::function<void(Tensor<float, Tokens, Heads, HeadDim> out, Tensor<const float, Tokens, Heads, HeadDim> q,
                     const BatchRows& rows, std::size_t layer, const AttentionSettings& settings)>
      attention = {};
  std::function<void(Matrix out, ConstMatrix gate, ConstMatrix up, Activation activation)> gate = {};
  std::function<void(Matrix x, ConstMatrix y)> add = {};
};

class LearnerOps : public LookingOps {
 public:
  LearnerOps(Ops& inner, LearnerVerbs verbs) : LookingOps(inner), verbs_(std::move(verbs)) {}

  void do_embed(Matrix out, std::span<const std::int32_t> ids, const PackedMatrix& table, float scale) override {
    if (!verbs_.embed) return inner_.do_embed(out, ids, table, scale);
    verbs_.embed(out, ids, table, scale);
  }
  void do_rms_norm(Matrix out, ConstMatrix x, const Norm& norm) override {
    if (!verbs_.rms_norm) return inner_.do_rms_norm(out, x, norm);
    verbs_.rms_norm(out, x, norm);
  }
  void do_linear(Matrix out, ConstMatrix x, const PackedMatrix& w) override {
    if (!verbs_.linear) return inner_.do_linear(out, x, w);
    verbs_.linear(inner_, out, x, w);
  }
  void do_rope(Tensor<float, Tokens, Heads, HeadDim> x, std::span<const std::uint32_t> positions,
               const Rope& rope) override {
    if (!verbs_.rope) return inner_.do_rope(x, positions, rope);
    verbs_.rope(x, positions, rope);
  }
  void do_store_kv(const BatchRows& rows, std::size_t layer, Tensor<const float, Tokens, KvHeads, HeadDim> k,
                   Tensor<const float, Tokens, KvHeads, HeadDim> v) override {
    if (!verbs_.store_kv) return inner_.do_store_kv(rows, layer, k, v);
    verbs_.store_kv(inner_, rows, layer, k, v);
  }
  void do_attention(Tensor<float, Tokens, Heads, HeadDim> out, Tensor<const float, Tokens, Heads, HeadDim> q,
                    const BatchRows& rows, std::size_t layer, const AttentionSettings& settings) override {
    if (!verbs_.attention) return inner_.do_attention(out, q, rows, layer, settings);
    verbs_.attention(out, q, rows, layer, settings);
  }
  void do_gate(Matrix out, ConstMatrix gate, ConstMatrix up, Activation activation) override {
    if (!verbs_.gate) return inner_.do_gate(out, gate, up, activation);
    verbs_.gate(out, gate, up, activation);
  }
  void do_add(Matrix x, ConstMatrix y) override {
    if (!verbs_.add) return inner_.do_add(x, y);
    verbs_.add(x, y);
  }

 private:
  LearnerVerbs verbs_;
};

}  // namespace rung
