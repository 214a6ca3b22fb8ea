#include "ops/kv_cache.h"

#include <algorithm>
#include <cstring>

#include "kernels/scalar/scalar.h"

namespace rung {

namespace {

constexpr std::size_t kLargestChunk = std::size_t{64} << 20;

}  // namespace

void KvCache::reserve(std::size_t tokens) {
  while (blocks_.size() * kKvBlock < tokens) {
    const std::size_t next = blocks_.size();
    if (chunks_.empty() || chunks_.back().first_block + chunks_.back().blocks == next) {
      const std::size_t most = std::max<std::size_t>(1, kLargestChunk / shape_.bytes_per_block());
      const std::size_t blocks = std::clamp<std::size_t>(next, 1, most);
      chunks_.push_back({Pages(blocks * shape_.bytes_per_block() + kReadablePast), next, blocks});
    }
    blocks_.push_back(chunks_.back().memory.data() + (next - chunks_.back().first_block) * shape_.bytes_per_block());
  }
}

void KvCache::truncate(std::size_t tokens) {
  const std::size_t needed = (tokens + kKvBlock - 1) / kKvBlock;
  if (needed >= blocks_.size()) return;
  blocks_.resize(needed);
  while (!chunks_.empty() && chunks_.back().first_block >= needed) chunks_.pop_back();
}

void KvCache::store(std::size_t layer, std::size_t position, Tensor<const float, KvHeads, HeadDim> key,
                    Tensor<const float, KvHeads, HeadDim> value) {
  if (shape_.dtype == DType::f32) {
    put<4>(layer, position, {reinterpret_cast<const std::byte*>(key.data())}, {reinterpret_cast<const std::byte*>(value.data())});
    return;
  }
  const std::size_t heads = shape_.kv_heads, head_dim = shape_.head_dim;
  const auto round = [&](const float* x, std::vector<std::byte>& values, std::vector<f16>& head_scales) -> RoundedHeads {
    values.resize(heads * head_dim * shape_.value_bytes());
    head_scales.resize(heads * shape_.scales_per_head() + 1);  // its data is there even where it is empty
    if (shape_.dtype == DType::f16) {
      scalar::kernels.round_to_f16(reinterpret_cast<std::uint16_t*>(values.data()), x, heads * head_dim);
    } else {
      for (std::size_t h = 0; h < heads; ++h) {
        scalar::kernels.round_to_q8(reinterpret_cast<std::int8_t*>(values.data()) + h * head_dim,
                                    &head_scales[h * shape_.scales_per_head()].bits, x + h * head_dim, head_dim);
      }
    }
    return {values.data(), head_scales.data()};
  };
  std::vector<std::byte> key_values, value_values;
  std::vector<f16> key_scales, value_scales;
  const RoundedHeads rounded_key = round(key.data(), key_values, key_scales);
  store_rounded(layer, position, rounded_key, round(value.data(), value_values, value_scales));
}

void KvCache::store_rounded(std::size_t layer, std::size_t position, const RoundedHeads& key, const RoundedHeads& value) {
  if (shape_.dtype == DType::f32) return put<4>(layer, position, key, value);
  if (shape_.dtype == DType::f16) return put<2>(layer, position, key, value);
  put<1>(layer, position, key, value);
}

template <std::size_t kBytes>
void KvCache::put(std::size_t layer, std::size_t position, const RoundedHeads& key, const RoundedHeads& value) {
  const std::size_t block = position / kKvBlock, in_block = position % kKvBlock;
  const std::size_t head_dim = shape_.head_dim, count = shape_.scales_per_head();
  for (std::size_t h = 0; h < shape_.kv_heads; ++h) {
    std::byte* const keys = head_rows(layer, kKeys, block, h);
    std::byte* const values = head_rows(layer, kValues, block, h);
    const std::byte* const from = key.values + h * head_dim * kBytes;
    for (std::size_t d = 0; d < head_dim; ++d) std::memcpy(keys + (d * kKvBlock + in_block) * kBytes, from + d * kBytes, kBytes);
    std::memcpy(values + in_block * head_dim * kBytes, value.values + h * head_dim * kBytes, head_dim * kBytes);
    const std::size_t scales_at = kKvBlock * head_dim * kBytes;
    for (std::size_t s = 0; s < count; ++s) {
      std::memcpy(keys + scales_at + (s * kKvBlock + in_block) * sizeof(f16), key.scales + h * count + s, sizeof(f16));
      std::memcpy(values + scales_at + (s * kKvBlock + in_block) * sizeof(f16), value.scales + h * count + s, sizeof(f16));
    }
  }
}

const float* KvCache::keys(std::size_t layer, std::size_t block, std::size_t kv_head, std::size_t count, float* scratch) const {
  const std::byte* columns = key_block(layer, block, kv_head);
  for (std::size_t d = 0; d < shape_.head_dim; ++d) {
    for (std::size_t j = 0; j < count; ++j) scratch[j * shape_.head_dim + d] = value_at(columns, d * kKvBlock + j, d, j);
  }
  return scratch;
}

const float* KvCache::values(std::size_t layer, std::size_t block, std::size_t kv_head, std::size_t count, float* scratch) const {
  const std::byte* rows = value_block(layer, block, kv_head);
  if (shape_.dtype == DType::f32) return reinterpret_cast<const float*>(rows);  // blocks are aligned, and floats were written there
  const std::size_t head_dim = shape_.head_dim;
  for (std::size_t i = 0; i < count * head_dim; ++i) scratch[i] = value_at(rows, i, i % head_dim, i / head_dim);
  return scratch;
}

float KvCache::value_at(const std::byte* head, std::size_t at, std::size_t d, std::size_t j) const {
  if (shape_.dtype == DType::f32) return reinterpret_cast<const float*>(head)[at];
  if (shape_.dtype == DType::f16) return to_f32(reinterpret_cast<const f16*>(head)[at]);
  return to_f32(scales(head)[d / 32 * kKvBlock + j]) * static_cast<float>(static_cast<std::int8_t>(head[at]));
}

std::byte* KvCache::head_rows(std::size_t layer, Part part, std::size_t block, std::size_t kv_head) const {
  const std::size_t head_bytes = kKvBlock * shape_.bytes_per_head();
  return blocks_[block] + ((layer * shape_.kv_heads + kv_head) * 2 + part) * head_bytes;
}

}  // namespace rung
