// The keys and values of one sequence, in every layer.  Milestone M4.
//
// Attention asks each token for the keys and values of all tokens before it, and these never change: so they are kept. Memory comes in
// blocks of kKvBlock positions as the sequence grows; what is already kept never moves.
//
//   block b:  layer 0 K [kv_heads, head_dim, kKvBlock]  V [kv_heads, kKvBlock, head_dim]   layer 1 K V   …   positions [b·kKvBlock, (b+1)·kKvBlock)
//
// Keys lie with the positions side by side, values with the dimensions: so in both of attention's products what is added up lies one under the other,
// and the lanes of a SIMD register need never be added to each other.
#pragma once

#include <cstddef>
#include <cstdint>
#include <vector>

#include "base/half.h"
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

  // The same of a cache of f16, already rounded: [kv_heads, head_dim] each.
  void store_halves(std::size_t layer, std::size_t position, const f16* key, const f16* value);

  // One head in one block as it lies in memory, readable for 64 bytes past its end.
  const std::byte* key_block(std::size_t layer, std::size_t block, std::size_t kv_head) const { return head_rows(layer, kKeys, block, kv_head); }
  const std::byte* value_block(std::size_t layer, std::size_t block, std::size_t kv_head) const { return head_rows(layer, kValues, block, kv_head); }

  // The rows of one head in one block: [kKvBlock, head_dim] as floats, in `scratch`, which holds kKvBlock·head_dim, or where they lie in the cache;
  // only the first `count` rows are made.
  const float* keys(std::size_t layer, std::size_t block, std::size_t kv_head, std::size_t count, float* scratch) const;
  const float* values(std::size_t layer, std::size_t block, std::size_t kv_head, std::size_t count, float* scratch) const;

 private:
  static constexpr std::size_t kReadablePast = 64;  // a SIMD load of the last row's last values may go beyond them
  enum Part : std::size_t { kKeys = 0, kValues = 1 };
  template <class T>
  void put(std::size_t layer, std::size_t position, const T* key, const T* value);
  float value_at(const std::byte* at, std::size_t i) const;
  std::byte* head_rows(std::size_t layer, Part part, std::size_t block, std::size_t kv_head) const;

  KvShape shape_;
  std::vector<Buffer<std::byte>> blocks_;
};

}  // namespace rung
