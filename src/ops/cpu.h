// The fast backend: weights in panels, activations in eight bits, the kernels of the machine's best instruction set.
// Milestone M6.
#pragma once

#include <array>
#include <atomic>
#include <cstdint>
#include <vector>

#include "base/threads.h"
#include "kernels/kernels.h"
#include "ops/ops.h"
#include "ops/rope_table.h"

namespace rung {

class CpuOps : public Ops {
 public:
  // `team` outlives this.
  explicit CpuOps(ThreadTeam& team, const Kernels& kernels = chosen_kernels());
  std::string_view kernels() const { return kernels_.name; }

  void do_embed(Matrix out, std::span<const std::int32_t> ids, const PackedMatrix& table, float scale) override;
  void do_rms_norm(Matrix out, ConstMatrix x, const Norm& norm) override;
  void do_linear(Matrix out, ConstMatrix x, const PackedMatrix& w) override;
  void do_linear_each(std::span<const LinearTask> tasks, ConstMatrix x) override;
  void do_rope(Tensor<float, Tokens, Heads, HeadDim> x, std::span<const std::uint32_t> positions,
               const Rope& rope) override;
  void do_store_kv(const BatchRows& rows, std::size_t layer, Tensor<const float, Tokens, KvHeads, HeadDim> k,
                   Tensor<const float, Tokens, KvHeads, HeadDim> v) override;
  void do_attention(Tensor<float, Tokens, Heads, HeadDim> out, Tensor<const float, Tokens, Heads, HeadDim> q,
                    const BatchRows& rows, std::size_t layer, const AttentionSettings& settings) override;
  void do_gate(Matrix out, ConstMatrix gate, ConstMatrix up, Activation activation) override;
  void do_add(Matrix x, ConstMatrix y) override;

 private:
  // Tells the team what it will probably read after the panels of `first`.
  void expect_successor(const PackedMatrix& first, std::span<const std::byte> panels);

  // A matrix is laid out in panels when it is first used; its owner keeps them.
  const std::byte* panels_of(const PackedMatrix& w);
  void lay_out(std::byte* panels, const PackedMatrix& w);
  const ActivationBlock* quantized(ConstMatrix x);
  const std::uint16_t* in_bf16(ConstMatrix x);  // [rows, bf16_stride(columns)]

  // One token against many blocks of keys, which the team shares.
  struct LongContext {
    const KvCache& cache;
    std::size_t layer;
    const AttentionSettings& settings;
  };
  void attend_long(Tensor<float, Heads, HeadDim> out, Tensor<const float, Heads, HeadDim> q, const LongContext& context,
                   std::span<const std::uint32_t> position);

  // Calls body(begin, end) over rows of so many values: in this thread alone where they are too few to be worth waking
  // the others.
  void share_rows(std::size_t rows, std::size_t values_each, RangeBody body,
                  std::array<ThreadTeam::Bytes, 2> inputs = {});

  // Room for each member of the team, made before a range of work is shared: which of them take some of it, and when
  // for the first time, is left to the moment.
  class Scratch {
   public:
    void make(std::size_t members, std::size_t floats);  // of each; what was there before is lost
    float* of(std::size_t member) const { return room_.data() + member * stride_; }

   private:
    Buffer<float> room_;
    std::size_t members_ = 0, stride_ = 0;
  };

  ThreadTeam& team_;
  const Kernels& kernels_;
  Scratch scratch_;
  struct SharedProduct {
    DType type;
    std::size_t first;  // its panels begin there, among all that the team shares
    PanelProduct whole;
  };
  std::vector<SharedProduct> products_;  // of the linear layers at hand

  // The pass goes through the same weights again and again: what came after a matrix last time will come after it
  // again.
  // By PackedMatrix::id: its successor's panels. Of another model's matrix, or gone, they are a guess that was wrong.
  std::vector<std::span<const std::byte>> successors_;
  std::size_t previous_ = 0;  // id of the last matrix
  Buffer<ActivationBlock> blocks_;
  Buffer<std::uint16_t> bf16_rows_;
  Buffer<float> partials_;
  // How many blocks of a head of keys are combined, and in which long attention: its number·2³² + blocks. In a cache
  // line of its own, because other threads write its neighbours.
  struct alignas(64) Combined {
    std::atomic<std::uint64_t> blocks{0};
  };
  std::vector<Combined> combined_;  // by head of keys
  std::uint64_t long_attentions_ = 0;
  struct RowRange {
    std::size_t first, end;
  };
  std::vector<RowRange> tiles_;  // of the attention at hand
  RopeTable rope_table_;
};

}  // namespace rung
