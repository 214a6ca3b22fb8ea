#include "ops/kv_cache.h"

#include <cstring>

#include "base/half.h"

namespace rung {

void KvCache::reserve(std::size_t tokens) {
  while (blocks_.size() * kKvBlock < tokens) blocks_.emplace_back(shape_.bytes_per_block());
}

void KvCache::truncate(std::size_t tokens) {
  const std::size_t needed = (tokens + kKvBlock - 1) / kKvBlock;
  if (needed < blocks_.size()) blocks_.erase(blocks_.begin() + static_cast<std::ptrdiff_t>(needed), blocks_.end());
}

void KvCache::store(std::size_t layer, std::size_t position, Tensor<const float, KvHeads, HeadDim> key,
                    Tensor<const float, KvHeads, HeadDim> value) {
  const std::size_t row = position % kKvBlock * row_bytes(shape_.dtype, shape_.head_dim);
  for (std::size_t h = 0; h < shape_.kv_heads; ++h) {
    write(head_rows(layer, kKeys, position / kKvBlock, h) + row, key[h].data());
    write(head_rows(layer, kValues, position / kKvBlock, h) + row, value[h].data());
  }
}

const float* KvCache::keys(std::size_t layer, std::size_t block, std::size_t kv_head, std::size_t count, float* scratch) const {
  return read(head_rows(layer, kKeys, block, kv_head), count, scratch);
}

const float* KvCache::values(std::size_t layer, std::size_t block, std::size_t kv_head, std::size_t count, float* scratch) const {
  return read(head_rows(layer, kValues, block, kv_head), count, scratch);
}

std::byte* KvCache::head_rows(std::size_t layer, Part part, std::size_t block, std::size_t kv_head) const {
  const std::size_t head_bytes = kKvBlock * row_bytes(shape_.dtype, shape_.head_dim);
  return blocks_[block].data() + ((layer * 2 + part) * shape_.kv_heads + kv_head) * head_bytes;
}

const float* KvCache::read(const std::byte* rows, std::size_t count, float* scratch) const {
  if (shape_.dtype == DType::f32) return reinterpret_cast<const float*>(rows);  // blocks are aligned, and floats were written there
  const auto* halves = reinterpret_cast<const f16*>(rows);
  for (std::size_t i = 0; i < count * shape_.head_dim; ++i) scratch[i] = to_f32(halves[i]);
  return scratch;
}

void KvCache::write(std::byte* row, const float* values) const {
  if (shape_.dtype == DType::f32) {
    std::memcpy(row, values, shape_.head_dim * sizeof(float));
    return;
  }
  for (std::size_t i = 0; i < shape_.head_dim; ++i) {
    const f16 half = to_f16(values[i]);
    std::memcpy(row + i * sizeof(f16), &half, sizeof(f16));
  }
}

}  // namespace rung
