// The keys and values of one sequence, in every layer.  Milestone M4.
//
// Attention asks each token for the keys and values of all tokens before it, and these never change: so they are kept. Memory comes in
// blocks of kKvBlock positions as the sequence grows; what is already kept never moves.
//
//   block b:  layer 0 K [kv_heads, kKvBlock, head_dim]  V [the same]   layer 1 K V   …      positions [b·kKvBlock, (b+1)·kKvBlock)
#pragma once

#include <cstddef>
#include <cstdint>
#include <vector>

#include "tensor/dtype.h"
#include "tensor/tensor.h"

namespace rung {

// Also the number of keys that attention takes at a time: a block of the cache is a block of the sum.
inline constexpr std::size_t kKvBlock = 64;

struct KvShape {
  std::size_t layers;
  std::size_t kv_heads;
  std::size_t head_dim;
  DType dtype = DType::f32;  // f32 or f16

  std::size_t bytes_per_block() const { return layers * 2 * kv_heads * kKvBlock * row_bytes(dtype, head_dim); }
};

class KvCache {
 public:
  explicit KvCache(const KvShape& shape) : shape_(shape) {}

  const KvShape& shape() const { return shape_; }
  std::size_t bytes() const { return blocks_.size() * shape_.bytes_per_block(); }

  // Makes room for positions [0, tokens).
  void reserve(std::size_t tokens);
  // Forgets positions from `tokens` on.
  void truncate(std::size_t tokens);

  // Rounds to the cache's type and keeps. `key` and `value`: [kv_heads, head_dim].
  void store(std::size_t layer, std::size_t position, Tensor<const float, KvHeads, HeadDim> key, Tensor<const float, KvHeads, HeadDim> value);

  // The rows of one head in one block: [kKvBlock, head_dim] as floats. They point into the cache where it is f32, else into `scratch`, which
  // holds kKvBlock·head_dim; only the first `count` rows are made.
  const float* keys(std::size_t layer, std::size_t block, std::size_t kv_head, std::size_t count, float* scratch) const;
  const float* values(std::size_t layer, std::size_t block, std::size_t kv_head, std::size_t count, float* scratch) const;

 private:
  enum Part : std::size_t { kKeys = 0, kValues = 1 };
  std::byte* head_rows(std::size_t layer, Part part, std::size_t block, std::size_t kv_head) const;
  const float* read(const std::byte* rows, std::size_t count, float* scratch) const;
  void write(std::byte* row, const float* values) const;

  KvShape shape_;
  std::vector<Buffer<std::byte>> blocks_;
};

}  // namespace rung
