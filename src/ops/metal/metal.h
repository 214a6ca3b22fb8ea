// The backend of a Mac's GPU: each verb is written down and becomes a kernel of src/kernels/metal/, alone or with its
// neighbours, in finish().  Milestone M7.
//
//   rms_norm, linear × 3, rope, …     steps, in order: what is asked for, where it lies
//   finish()                          neighbours that fit are one kernel (metal_join.cpp); all are recorded, and done
//
// Tensors that only pass between joined verbs are written all the same: memory after finish() is what the verbs one by
// one leave there.
//
// Host and GPU share the memory, so nothing is moved: tensors lie in memory that both see, weights where the file is
// mapped, the KV cache where and as the other backends have it.
#pragma once

#include <algorithm>
#include <array>
#include <cstddef>
#include <cstdint>
#include <cstring>
#include <initializer_list>
#include <map>
#include <memory>
#include <span>
#include <string_view>
#include <variant>
#include <vector>

#include "kernels/metal/args.h"
#include "ops/metal/gpu.h"
#include "ops/ops.h"
#include "ops/rope_table.h"

namespace rung {

class MetalOps : public Ops {
 public:
  // Of attention: some tiles after the other, if they would take more; a tile that does by itself (a token at some
  // hundred thousand) goes through its blocks alone.
  static constexpr std::size_t kMostPartialBytes = std::size_t{64} << 20;

  // Norms and biases that none of so many passes used: their model is gone.
  static constexpr std::size_t kPassesKept = 4096;

  // Throws Error: this system has no Metal. `most_work`: as of Gpu.
  explicit MetalOps(std::size_t most_work = metal::Gpu::kMostWork, std::size_t most_partial_bytes = kMostPartialBytes);
  std::string_view kernels() const { return gpu_.name(); }
  bool is_virtual() const { return gpu_.is_virtual(); }
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
    metal::KeptBuffer buffer;
    std::size_t offset, first_row, rows;
  };
  class Weights;  // of a model
  const std::vector<WeightPiece>& pieces_of(const PackedMatrix& w);
  std::vector<WeightPiece> make_pieces(const PackedMatrix& w);

  // What was asked for and is not recorded yet.
  struct NormStep {
    ConstMatrix out, x;
    float epsilon;
    metal::Place weight;
  };
  struct LinearStep {  // or a piece of one, where the matrix is in several buffers
    gpu::LinearArgs args;
    DType type;
    const float *out, *x;
    metal::Place w, bias;
    bool goes_on;  // is of the same linear_each as the step before
  };
  struct RopeStep {
    const float* x;
    gpu::RopeArgs args;
    metal::Place turns;
  };
  struct StoreStep {
    const float *k, *v;
    gpu::StoreArgs args;
    std::size_t tokens;
    DType cache;
    metal::Place positions, blocks;
  };
  struct GateStep {
    ConstMatrix out, gate, up;
    Activation activation;
  };
  struct AddStep {
    ConstMatrix x, y;
  };
  struct KernelStep {  // a kernel that nothing joins
    metal::Kernel kernel;
    std::uint32_t constant;
    std::array<std::byte, 64> args;
    std::size_t args_bytes;
    std::array<metal::Place, 5> places;
    std::size_t places_count;
    metal::Grid grid;
    std::size_t work;
  };
  using Step = std::variant<NormStep, LinearStep, RopeStep, StoreStep, GateStep, AddStep, KernelStep>;
  // The i-th step, if it is such a one.
  template <class Wanted>
  const Wanted* step(std::size_t i) const {
    return i < steps_.size() ? std::get_if<Wanted>(&steps_[i]) : nullptr;
  }
  void record();
  // Each records a kernel for steps from the first-th on, and says of how many; 0: they are others.
  std::size_t record_heads(std::size_t first);
  std::size_t record_products(std::size_t first);
  std::size_t record_norm_and_sum(std::size_t first);
  void record_alone(const Step& step);
  void record_norm(const NormStep& norm, const float* residual);
  void record_gated(const LinearStep& gate, const LinearStep& up, Activation activation, const NormStep* norm);
  void record_linear(std::span<const LinearStep* const> layers, const NormStep* norm, const float* residual);
  bool norm_joins(const NormStep& norm, std::span<const LinearStep* const> layers) const;

  // Values of the model that are floats already: norms, biases. Found by their address, known by what they are.
  metal::Place constant(std::span<const float> values);
  metal::Place turns(std::span<const std::uint32_t> positions, const Rope& rope);

  // What the kernels must know of a batch's rows, made once a pass.
  struct Tiles {
    std::size_t window_tokens, group;
    metal::Place place;
    std::vector<gpu::AttentionTile> list;
    std::size_t most_blocks;
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

  metal::Place partial_of(std::size_t bytes);

  template <class T>
  metal::Place upload(std::span<const T> values) {
    return gpu_.upload(std::as_bytes(values));
  }
  // `work`: multiplications.
  template <class Args>
  void kernel_step(metal::Kernel kernel, std::uint32_t constant, const Args& args,
                   std::initializer_list<metal::Place> places, const metal::Grid& grid, std::size_t work = 0) {
    KernelStep step{kernel, constant, {}, sizeof args, {}, places.size(), grid, work};
    static_assert(sizeof args <= sizeof step.args);
    std::memcpy(step.args.data(), &args, sizeof args);
    std::copy(places.begin(), places.end(), step.places.begin());
    steps_.push_back(step);
  }
  template <class Args>
  void dispatch(metal::Kernel kernel, std::uint32_t constant, const Args& args,
                std::initializer_list<metal::Place> places, const metal::Grid& grid) {
    gpu_.dispatch(kernel, constant, std::as_bytes(std::span(&args, 1)), {places.begin(), places.size()}, grid);
  }
  metal::Place place(const float* values) const { return gpu_.place(values); }

  metal::Gpu gpu_;
  std::vector<Step> steps_;
  const std::size_t number_;  // of this backend, in PanelStore::companion
  struct Constant {
    std::unique_ptr<BackendMemory> memory;
    std::vector<float> values;  // the GPU's may not be looked at while it works
    std::size_t used = 0;       // last, in which pass
  };
  void let_constants_go();
  std::map<const float*, Constant> constants_;
  std::size_t pass_ = 0;
  std::vector<std::unique_ptr<BackendMemory>> retired_;  // that a recorded kernel may still read
  RopeTable rope_table_;
  struct Turns {
    const float* table;
    std::vector<std::uint32_t> positions;
    metal::Place place;
  };
  std::vector<Turns> turns_;                // of this pass
  std::vector<RowTables> tables_;           // of this pass
  std::unique_ptr<BackendMemory> partial_;  // results of attention, a block each
  std::size_t partial_bytes_ = 0;
  const std::size_t most_partial_bytes_;
};

}  // namespace rung
