#include "ops/kv_cache.h"

#include <cstring>

namespace rung {

void KvCache::reserve(std::size_t tokens) {
  while (blocks_.size() * kKvBlock < tokens) blocks_.emplace_back(shape_.bytes_per_block() + kReadablePast);
}

void KvCache::truncate(std::size_t tokens) {
  const std::size_t needed = (tokens + kKvBlock - 1) / kKvBlock;
  if (needed < blocks_.size()) blocks_.erase(blocks_.begin() + static_cast<std::ptrdiff_t>(needed), blocks_.end());
}

void KvCache::store(std::size_t layer, std::size_t position, Tensor<const float, KvHeads, HeadDim> key,
                    Tensor<const float, KvHeads, HeadDim> value) {
  if (shape_.dtype == DType::f32) {
    put<float>(layer, position, key.data(), value.data());
    return;
  }
  std::vector<f16> halves(key.size() + value.size());
  for (std::size_t i = 0; i < key.size(); ++i) {
    halves[i] = to_f16(key.data()[i]);
    halves[key.size() + i] = to_f16(value.data()[i]);
  }
  store_halves(layer, position, halves.data(), halves.data() + key.size());
}

void KvCache::store_halves(std::size_t layer, std::size_t position, const f16* key, const f16* value) { put<f16>(layer, position, key, value); }

template <class T>
void KvCache::put(std::size_t layer, std::size_t position, const T* key, const T* value) {
  const std::size_t block = position / kKvBlock, in_block = position % kKvBlock, head_dim = shape_.head_dim;
  for (std::size_t h = 0; h < shape_.kv_heads; ++h) {
    std::byte* keys = head_rows(layer, kKeys, block, h) + in_block * sizeof(T);
    for (std::size_t d = 0; d < head_dim; ++d) std::memcpy(keys + d * kKvBlock * sizeof(T), key + h * head_dim + d, sizeof(T));
    std::memcpy(head_rows(layer, kValues, block, h) + in_block * head_dim * sizeof(T), value + h * head_dim, head_dim * sizeof(T));
  }
}

const float* KvCache::keys(std::size_t layer, std::size_t block, std::size_t kv_head, std::size_t count, float* scratch) const {
  const std::byte* columns = key_block(layer, block, kv_head);
  for (std::size_t d = 0; d < shape_.head_dim; ++d) {
    for (std::size_t j = 0; j < count; ++j) scratch[j * shape_.head_dim + d] = value_at(columns, d * kKvBlock + j);
  }
  return scratch;
}

const float* KvCache::values(std::size_t layer, std::size_t block, std::size_t kv_head, std::size_t count, float* scratch) const {
  const std::byte* rows = value_block(layer, block, kv_head);
  if (shape_.dtype == DType::f32) return reinterpret_cast<const float*>(rows);  // blocks are aligned, and floats were written there
  for (std::size_t i = 0; i < count * shape_.head_dim; ++i) scratch[i] = value_at(rows, i);
  return scratch;
}

float KvCache::value_at(const std::byte* at, std::size_t i) const {
  if (shape_.dtype == DType::f32) return reinterpret_cast<const float*>(at)[i];
  return to_f32(reinterpret_cast<const f16*>(at)[i]);
}

std::byte* KvCache::head_rows(std::size_t layer, Part part, std::size_t block, std::size_t kv_head) const {
  const std::size_t head_bytes = kKvBlock * row_bytes(shape_.dtype, shape_.head_dim);
  return blocks_[block].data() + ((layer * 2 + part) * shape_.kv_heads + kv_head) * head_bytes;
}

}  // namespace rung
