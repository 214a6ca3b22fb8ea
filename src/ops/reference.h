// The reference backend: every verb as the formula says it, in f32, over the scalar kernels, rows over threads.
// Milestone M2.
//
// Whoever wants to read Rung begins here, with reference.cpp: all the arithmetic of a language model is in its eight
// functions. Then model/forward.cpp, which calls them in order. T is the number of tokens that go through together.
#pragma once

#include "base/threads.h"
#include "kernels/kernels.h"
#include "ops/ops.h"

namespace rung {

class ReferenceOps : public Ops {
 public:
  // `team` outlives this.
  explicit ReferenceOps(ThreadTeam& team);
  std::string_view kernels() const { return kernels_.name; }

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
  // Where one head of one token looks.
  struct Context {
    const KvCache& cache;
    std::size_t layer;
    std::size_t kv_head;
    std::size_t position;
  };
  void attend(Tensor<float, HeadDim> out, Tensor<const float, HeadDim> q, const Context& context,
              const AttentionSettings& settings, float* scratch) const;

  ThreadTeam& team_;
  const Kernels& kernels_;
};

}  // namespace rung
