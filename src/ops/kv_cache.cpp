#include "ops/kv_cache.h"

#include <algorithm>
#include <cmath>
#include <cstring>

#include "base/error.h"
#include "kernels/scalar/scalar.h"
#include "ops/ops.h"

namespace rung {

namespace {

constexpr std::size_t kLargestChunk = std::size_t{64} << 20;

}  // namespace

// Blocks come in chunks that double: 1, 1, 2, 4, … blocks, until a chunk is 64 MB. A conversation of a few words stays
// small, a long one needs few pieces, and nothing is ever moved, so that pointers into the cache stay good.
void KvCache::reserve(std::size_t tokens, Ops* ops) {
  const std::size_t needed = (tokens + kKvBlock - 1) / kKvBlock;
  while (blocks_.size() < needed) {
    const std::size_t next = blocks_.size();
    if (chunks_.empty() || chunks_.back().first_block + chunks_.back().blocks == next) {
      const std::size_t most = std::max<std::size_t>(1, kLargestChunk / shape_.bytes_per_block());
      const std::size_t blocks = std::clamp<std::size_t>(next, 1, most);
      const std::size_t bytes = blocks * shape_.bytes_per_block() + kReadablePast;
      chunks_.push_back({Buffer<std::byte>(bytes, ops == nullptr ? nullptr : ops->memory(bytes)), next, blocks});
    }
    blocks_.push_back(chunks_.back().memory.data() + (next - chunks_.back().first_block) * shape_.bytes_per_block());
  }
  used_ = std::max(used_, needed);
}

void KvCache::truncate(std::size_t tokens) { used_ = std::min(used_, (tokens + kKvBlock - 1) / kKvBlock); }

void KvCache::refuse_overflow() const {
  if (shape_.dtype == DType::f32) return;
  const bool scaled = shape_.dtype == DType::q8_0;  // its bytes are numbers always, their scales need not be
  const std::size_t count = kKvBlock * (scaled ? shape_.scales_per_head() : shape_.head_dim);
  const auto refuse = [&](std::size_t layer, const char* what, const std::byte* head) {
    const f16* const numbers = scaled ? scales(head) : reinterpret_cast<const f16*>(head);
    if (std::none_of(numbers, numbers + count, [](f16 x) { return std::isinf(to_f32(x)); })) return;
    fail("layer {} makes a {} that is too large for a cache of {} (at most {}): run it with --cache f32", layer, what,
         info(shape_.dtype).name, scaled ? 127 * 65504 : 65504);
  };
  for (std::size_t layer = 0; layer < shape_.layers; ++layer) {
    for (std::size_t block = 0; block < used_; ++block) {
      for (std::size_t head = 0; head < shape_.kv_heads; ++head) {
        refuse(layer, "key", key_block(layer, block, head));
        refuse(layer, "value", value_block(layer, block, head));
      }
    }
  }
}

// Rounding comes first, so that what is attended to is the same whether it was computed a moment or an hour ago.
void KvCache::store(std::size_t layer, std::size_t position, Tensor<const float, KvHeads, HeadDim> key,
                    Tensor<const float, KvHeads, HeadDim> value) {
  const std::size_t head_dim = shape_.head_dim;
  std::vector<std::byte> values(shape_.dtype == DType::f32 ? 0 : 2 * head_dim * shape_.value_bytes());
  std::vector<f16> scales(2 * shape_.scales_per_head());
  // side: of the two halves of the memory above
  const auto rounded = [&](const float* x, std::size_t side) -> RoundedHead {
    if (shape_.dtype == DType::f32) return {reinterpret_cast<const std::byte*>(x)};
    std::byte* const to = values.data() + side * head_dim * shape_.value_bytes();
    f16* const scales_to = scales.data() + side * shape_.scales_per_head();
    if (shape_.dtype == DType::f16) {
      scalar::kernels.round_to_f16(reinterpret_cast<std::uint16_t*>(to), x, head_dim);
    } else {
      scalar::kernels.round_to_q8(reinterpret_cast<std::int8_t*>(to), &scales_to->bits, x, head_dim);
    }
    return {to, scales_to};
  };
  for (std::size_t h = 0; h < shape_.kv_heads; ++h) {
    store_rounded(layer, position, h, rounded(key[h].data(), 0), rounded(value[h].data(), 1));
  }
}

void KvCache::expect_store(std::size_t layer, std::size_t position, std::size_t kv_head) const {
  const std::size_t block = position / kKvBlock, value = shape_.value_bytes(), row = shape_.head_dim * value;
  const std::byte* const key = head_rows(layer, kKeys, block, kv_head) + position % kKvBlock * value;
  for (std::size_t d = 0; d < shape_.head_dim; ++d) __builtin_prefetch(key + d * kKvBlock * value, 1, 2);
  const std::byte* const values = head_rows(layer, kValues, block, kv_head) + position % kKvBlock * row;
  for (std::size_t line = 0; line < row; line += 64) __builtin_prefetch(values + line, 1, 2);
}

void KvCache::store_rounded(std::size_t layer, std::size_t position, std::size_t kv_head, const RoundedHead& key,
                            const RoundedHead& value) {
  const std::size_t block = position / kKvBlock, in_block = position % kKvBlock;
  std::byte* const keys = head_rows(layer, kKeys, block, kv_head);
  std::byte* const values = head_rows(layer, kValues, block, kv_head);
  if (shape_.dtype == DType::f32) return put<4>(keys, values, in_block, key, value);
  if (shape_.dtype == DType::f16) return put<2>(keys, values, in_block, key, value);
  put<1>(keys, values, in_block, key, value);
}

// A value's row is copied in one piece; a key's values go into a column each:
//
//   V [kKvBlock, head_dim]                      K [head_dim, kKvBlock]
//      position 0   v₀ v₁ v₂ …                     d = 0   k₀ of position 0, of position 1, …
//      position 1   v₀ v₁ v₂ …                     d = 1   k₁ of position 0, of position 1, …
//
template <std::size_t kBytes>
void KvCache::put(std::byte* keys, std::byte* values, std::size_t in_block, const RoundedHead& key,
                  const RoundedHead& value) {
  const std::size_t head_dim = shape_.head_dim;
  std::memcpy(values + in_block * head_dim * kBytes, value.values, head_dim * kBytes);
  for (std::size_t d = 0; d < head_dim; ++d) {
    std::memcpy(keys + (d * kKvBlock + in_block) * kBytes, key.values + d * kBytes, kBytes);
  }
  const std::size_t scales_at = kKvBlock * head_dim * kBytes;
  for (std::size_t s = 0; s < shape_.scales_per_head(); ++s) {
    std::memcpy(keys + scales_at + (s * kKvBlock + in_block) * sizeof(f16), key.scales + s, sizeof(f16));
    std::memcpy(values + scales_at + (s * kKvBlock + in_block) * sizeof(f16), value.scales + s, sizeof(f16));
  }
}

const float* KvCache::keys(std::size_t layer, std::size_t block, std::size_t kv_head, std::size_t count,
                           float* scratch) const {
  const std::byte* columns = key_block(layer, block, kv_head);
  for (std::size_t d = 0; d < shape_.head_dim; ++d) {
    for (std::size_t j = 0; j < count; ++j) {
      scratch[j * shape_.head_dim + d] = value_at(columns, d * kKvBlock + j, d, j);
    }
  }
  return scratch;
}

const float* KvCache::values(std::size_t layer, std::size_t block, std::size_t kv_head, std::size_t count,
                             float* scratch) const {
  const std::byte* rows = value_block(layer, block, kv_head);
  // blocks are aligned, and floats were written there
  if (shape_.dtype == DType::f32) return reinterpret_cast<const float*>(rows);
  const std::size_t head_dim = shape_.head_dim;
  for (std::size_t i = 0; i < count * head_dim; ++i) scratch[i] = value_at(rows, i, i % head_dim, i / head_dim);
  return scratch;
}

float KvCache::value_at(const std::byte* head, std::size_t at, std::size_t d, std::size_t j) const {
  if (shape_.dtype == DType::f32) return reinterpret_cast<const float*>(head)[at];
  if (shape_.dtype == DType::f16) return to_f32(reinterpret_cast<const f16*>(head)[at]);
  return to_f32(scales(head)[d / 32 * kKvBlock + j]) * static_cast<float>(static_cast<std::int8_t>(head[at]));
}

// Inside a block: layers outermost, then heads, then K before V. A head's keys of one block are one piece of memory.
std::byte* KvCache::head_rows(std::size_t layer, Part part, std::size_t block, std::size_t kv_head) const {
  const std::size_t head_bytes = kKvBlock * shape_.bytes_per_head();
  return blocks_[block] + ((layer * shape_.kv_heads + kv_head) * 2 + part) * head_bytes;
}

}  // namespace rung
