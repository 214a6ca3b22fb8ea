// The backend of a Mac's GPU: each verb is a kernel of src/kernels/metal/, recorded, and done in finish().  Milestone
// M7.
//
// Host and GPU share the memory, so nothing is moved: tensors lie in memory that both see, weights where the file is
// mapped, the KV cache where and as the other backends have it.
#pragma once

#include <cstddef>
#include <cstdint>
#include <initializer_list>
#include <map>
#include <memory>
#include <span>
#include <string_view>
#include <vector>

#include "kernels/metal/args.h"
#include "ops/metal/gpu.h"
#include "ops/ops.h"
#include "ops/rope_table.h"

namespace rung {

class MetalOps : public Ops {
 public:
  MetalOps();  // throws Error: this system has no Metal
  std::string_view kernels() const { return gpu_.name(); }
  const metal::Counts& counts() const { return gpu_.counts(); }

  std::unique_ptr<BackendMemory> memory(std::size_t bytes) override { return gpu_.memory(bytes); }
  void finish() override;

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
  void do_take_rows(Matrix out, ConstMatrix x, std::span<const std::size_t> rows) override;

 private:
  // Rows of a matrix in one buffer: all of them, but where a buffer would be too long.
  struct WeightPiece {
    objc::Object buffer;
    std::size_t offset, first_row, rows;
  };
  class Weights;  // of a model
  const std::vector<WeightPiece>& pieces_of(const PackedMatrix& w);
  std::vector<WeightPiece> make_pieces(const PackedMatrix& w);

  // Linear layers of one x that are asked for and not recorded yet, since what comes next may become a part of them: an
  // activation, or the sum with the residual stream.
  struct LinearWork {
    gpu::LinearArgs args;
    const float* out;
    metal::Place out_place, w, bias;
  };
  struct Pending {
    std::vector<LinearWork> works;
    DType type = DType::f32;
    const float* x = nullptr;
    metal::Place x_place;
  };
  std::vector<LinearWork> works_of(const LinearTask& task, metal::Place x);
  void record_pending(metal::Place residual = {});
  bool becomes_sum(Matrix x, ConstMatrix y);
  bool becomes_gate(Matrix out, ConstMatrix gate, ConstMatrix up, Activation activation);

  // Values of the model that are floats already: norms, biases. Found by their address, known by what they are.
  metal::Place constant(std::span<const float> values);
  metal::Place turns(std::span<const std::uint32_t> positions, const Rope& rope);

  // What the kernels must know of a batch's rows, made once a pass.
  struct Tiles {
    std::size_t window_tokens, group;
    metal::Place place;
    std::uint32_t count, most_blocks;
  };
  struct RowTables {
    std::vector<std::uint32_t> positions;
    std::vector<KvCache*> caches;
    metal::Place position_table, own_blocks, blocks;
    std::vector<std::uint32_t> blocks_at;  // of the row's sequence
    std::vector<Tiles> tiles;
  };
  RowTables& tables_of(const BatchRows& rows);
  const Tiles& tiles_of(RowTables& tables, std::size_t window_tokens, std::size_t group);

  template <class T>
  metal::Place upload(std::span<const T> values) {
    return gpu_.upload(std::as_bytes(values));
  }
  template <class Args>
  void dispatch(metal::Kernel kernel, std::uint32_t constant, const Args& args,
                std::initializer_list<metal::Place> buffers, const metal::Grid& grid) {
    record_pending();
    gpu_.dispatch(kernel, constant, std::as_bytes(std::span(&args, 1)), {buffers.begin(), buffers.size()}, grid);
  }

  metal::Gpu gpu_;
  Pending pending_;
  const std::size_t number_;  // of this backend, in PanelStore::companion
  struct Constant {
    std::unique_ptr<BackendMemory> memory;
    std::size_t count;
  };
  std::map<const float*, Constant> constants_;
  std::vector<std::unique_ptr<BackendMemory>> retired_;  // that a recorded kernel may still read
  RopeTable rope_table_;
  struct Turns {
    const float* table;
    std::vector<std::uint32_t> positions;
    metal::Place place;
  };
  std::vector<Turns> turns_;       // of this pass
  std::vector<RowTables> tables_;  // of this pass
  Buffer<float> partial_;
};

}  // namespace rung
