// The keys and values of one sequence, in every layer.  Milestone M4.
//
// Attention asks each token for the keys and values of all tokens before it, and these never change: so they are kept.
// Memory comes in blocks of kKvBlock positions as the sequence grows; what is already kept never moves.
//
//   block b, positions [b·kKvBlock, (b+1)·kKvBlock):
//     layer 0: head 0 K [head_dim, kKvBlock], V [kKvBlock, head_dim]   head 1 K, V   …   layer 1: …
//
// Keys lie with the positions side by side, values with the dimensions: so in both of attention's products what is
// added up lies one under the other, and the lanes of a SIMD register need never be added to each other.
//
// A cache of type Q8_0 holds bytes, and for every 32 of a head's values (the last few of a head, where it is no
// multiple of 32, by themselves) an f16 scale. The scales of a head's keys or values follow them, [scales per head,
// kKvBlock]: value = scale·byte.
#pragma once

#include <cstddef>
#include <cstdint>
#include <vector>

#include "base/half.h"
#include "tensor/dtype.h"
#include "tensor/tensor.h"

namespace rung {

class Ops;

// Positions in a block: attention takes one or four of them at a time (cpu_attention.cpp).
inline constexpr std::size_t kKvBlock = 64;

struct KvShape {
  std::size_t layers;
  std::size_t kv_heads;
  std::size_t head_dim;
  DType dtype = DType::f32;  // f32, f16 or q8_0

  std::size_t value_bytes() const { return dtype == DType::f32 ? 4 : dtype == DType::f16 ? 2 : 1; }
  std::size_t scales_per_head() const { return dtype == DType::q8_0 ? (head_dim + 31) / 32 : 0; }
  // One head's key, or its value.
  std::size_t bytes_per_head() const { return head_dim * value_bytes() + scales_per_head() * sizeof(f16); }
  std::size_t bytes_per_position() const { return layers * 2 * kv_heads * bytes_per_head(); }
  std::size_t bytes_per_block() const { return kKvBlock * bytes_per_position(); }
};

// A head's key or value at a position, rounded to the cache's type: [head_dim], and the scales of Q8_0 [scales per
// head].
struct RoundedHead {
  const std::byte* values;
  const f16* scales = nullptr;
};

class KvCache {
 public:
  explicit KvCache(const KvShape& shape) : shape_(shape) {}

  const KvShape& shape() const { return shape_; }
  // Of the positions that are kept; what was forgotten has memory beyond.
  std::size_t bytes() const { return used_ * shape_.bytes_per_block(); }

  // Makes room for positions [0, tokens): in memory that `ops`, which outlives this, can reach, or in any.
  void reserve(std::size_t tokens, Ops& ops) { reserve(tokens, &ops); }
  void reserve(std::size_t tokens) { reserve(tokens, nullptr); }
  // Forgets positions from `tokens` on. Their memory stays for those that come next: new memory has to be zeroed by the
  // system first.
  void truncate(std::size_t tokens);

  // Throws Error where a key or a value was too large for the cache's type and became infinite: what is computed with
  // it is no number any more.
  void refuse_overflow() const;

  // Rounds to the cache's type and keeps. `key` and `value`: [kv_heads, head_dim].
  void store(std::size_t layer, std::size_t position, Tensor<const float, KvHeads, HeadDim> key,
             Tensor<const float, KvHeads, HeadDim> value);

  // A head's key touches head_dim cache lines, each of which the next position touches again: so many positions go head
  // by head. A store to a line that is not in the processor's cache waits for it, and few can wait at a time:
  // expect_store asks for a head's lines before.
  void expect_store(std::size_t layer, std::size_t position, std::size_t kv_head) const;
  void store_rounded(std::size_t layer, std::size_t position, std::size_t kv_head, const RoundedHead& key,
                     const RoundedHead& value);

  // One head in one block as it lies in memory, readable for 64 bytes past its end.
  const std::byte* key_block(std::size_t layer, std::size_t block, std::size_t kv_head) const {
    return head_rows(layer, kKeys, block, kv_head);
  }
  const std::byte* value_block(std::size_t layer, std::size_t block, std::size_t kv_head) const {
    return head_rows(layer, kValues, block, kv_head);
  }
  // Their scales: [scales per head, kKvBlock].
  const f16* key_scales(std::size_t layer, std::size_t block, std::size_t kv_head) const {
    return scales(key_block(layer, block, kv_head));
  }
  const f16* value_scales(std::size_t layer, std::size_t block, std::size_t kv_head) const {
    return scales(value_block(layer, block, kv_head));
  }

  // The rows of one head in one block: [kKvBlock, head_dim] as floats, in `scratch`, which holds kKvBlock·head_dim, or
  // where they lie in the cache; only the first `count` rows are made.
  const float* keys(std::size_t layer, std::size_t block, std::size_t kv_head, std::size_t count, float* scratch) const;
  const float* values(std::size_t layer, std::size_t block, std::size_t kv_head, std::size_t count,
                      float* scratch) const;

 private:
  void reserve(std::size_t tokens, Ops* ops);
  static constexpr std::size_t kReadablePast = 64;  // a SIMD load of the last row's last values may go beyond them
  enum Part : std::size_t { kKeys = 0, kValues = 1 };
  template <std::size_t kBytes>
  void put(std::byte* keys, std::byte* values, std::size_t in_block, const RoundedHead& key, const RoundedHead& value);
  // The value at index `at` of a head in a block, its dimension d and position j.
  float value_at(const std::byte* head, std::size_t at, std::size_t d, std::size_t j) const;
  const f16* scales(const std::byte* head) const {
    return reinterpret_cast<const f16*>(head + kKvBlock * shape_.head_dim * shape_.value_bytes());
  }
  std::byte* head_rows(std::size_t layer, Part part, std::size_t block, std::size_t kv_head) const;

  KvShape shape_;
  // Each chunk has as many blocks as there were before it, so that most of a long context lies in few large pieces, in
  // which pages can be large.
  struct Chunk {
    Buffer<std::byte> memory;
    std::size_t first_block;
    std::size_t blocks;
  };
  std::vector<Chunk> chunks_;
  std::vector<std::byte*> blocks_;
  std::size_t used_ = 0;  // of the blocks
};

}  // namespace rung
