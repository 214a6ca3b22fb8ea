// What the KV cache keeps, and where.
#include "ops/kv_cache.h"

#include <gtest/gtest.h>

#include <algorithm>
#include <cmath>
#include <random>
#include <vector>

#include "tensor/blocks.h"

namespace rung {
namespace {

class KvCacheOf : public testing::TestWithParam<DType> {
 protected:
  KvShape shape(std::size_t head_dim) const {
    return {.layers = 2, .kv_heads = 3, .head_dim = head_dim, .dtype = GetParam()};
  }

  std::vector<float> some_values(std::size_t n) {
    std::vector<float> x(n);
    for (float& v : x) v = static_cast<float>(random_() % 65536) / 8192.0f - 4.0f;
    return x;
  }

  // What a value becomes, by the formulas of tensor/blocks.h: Q8_0 in blocks of 32 of each head, the last perhaps
  // shorter.
  std::vector<float> rounded(const std::vector<float>& head) const {
    std::vector<float> result = head;
    for (std::size_t i = 0; i < head.size(); ++i) {
      if (GetParam() == DType::f16) result[i] = to_f32(to_f16(head[i]));
      if (GetParam() != DType::q8_0) continue;
      float largest = 0;
      for (std::size_t k = i / 32 * 32; k < std::min(head.size(), i / 32 * 32 + 32); ++k) {
        largest = std::max(largest, std::fabs(head[k]));
      }
      const float scale = largest / 127;
      result[i] = largest == 0 ? 0 : to_f32(to_f16(scale)) * std::nearbyint(head[i] * (1 / scale));
    }
    return result;
  }

  std::mt19937 random_{3};
};

TEST_P(KvCacheOf, GivesBackWhatWasStoredRounded) {
  for (const std::size_t head_dim : {1u, 8u, 24u, 32u, 40u, 64u, 80u, 256u}) {
    SCOPED_TRACE(head_dim);
    KvCache cache(shape(head_dim));
    const std::size_t positions = 70, size = 3 * head_dim;
    cache.reserve(positions);
    std::vector<std::vector<float>> keys, values;
    for (std::size_t p = 0; p < positions; ++p) {
      keys.push_back(some_values(size));
      values.push_back(some_values(size));
      if (p == 5) std::fill(keys[5].begin(), keys[5].end(), 0.0f);
      for (const std::size_t layer : {0u, 1u}) {
        if (layer == 1) std::swap(keys[p], values[p]);  // so that a mix-up of layers would show
        cache.store(layer, p, {keys[p].data(), {3, head_dim}}, {values[p].data(), {3, head_dim}});
      }
    }
    std::vector<float> scratch(kKvBlock * head_dim);
    for (const std::size_t p : {0u, 5u, 63u, 64u, 69u}) {
      for (const std::size_t h : {0u, 2u}) {
        const auto head_of = [&](const std::vector<float>& x) {
          return std::vector<float>(x.begin() + static_cast<std::ptrdiff_t>(h * head_dim),
                                    x.begin() + static_cast<std::ptrdiff_t>((h + 1) * head_dim));
        };
        const auto row = [&](const float* rows) {
          return std::vector<float>(rows + p % 64 * head_dim, rows + (p % 64 + 1) * head_dim);
        };
        EXPECT_EQ(row(cache.keys(1, p / 64, h, 64, scratch.data())), rounded(head_of(keys[p])))
            << "position " << p << ", head " << h;
        EXPECT_EQ(row(cache.values(1, p / 64, h, 64, scratch.data())), rounded(head_of(values[p])))
            << "position " << p << ", head " << h;
        EXPECT_EQ(row(cache.keys(0, p / 64, h, 64, scratch.data())), rounded(head_of(values[p]))) << "layer 0";
      }
    }
  }
}

TEST_P(KvCacheOf, GrowsBlockByBlockAndNeverMovesWhatItKeeps) {
  KvCache cache(shape(32));
  EXPECT_EQ(cache.bytes(), 0u);
  cache.reserve(1);
  EXPECT_EQ(cache.bytes(), cache.shape().bytes_per_block()) << "memory comes with use";
  const std::byte* const first = cache.key_block(0, 0, 0);
  std::vector<const std::byte*> blocks{first};
  for (std::size_t tokens = 2; tokens <= 64 * 100; ++tokens) {
    cache.reserve(tokens);
    EXPECT_EQ(cache.bytes(), (tokens + 63) / 64 * cache.shape().bytes_per_block());
    if ((tokens + 63) / 64 > blocks.size()) blocks.push_back(cache.key_block(0, blocks.size(), 0));
  }
  for (std::size_t b = 0; b < blocks.size(); ++b) EXPECT_EQ(cache.key_block(0, b, 0), blocks[b]) << "block " << b;
  cache.truncate(65);
  EXPECT_EQ(cache.bytes(), 2 * cache.shape().bytes_per_block()) << "what is forgotten does not count";
  EXPECT_EQ(cache.key_block(0, 0, 0), first);
  EXPECT_EQ(cache.key_block(0, 1, 0), blocks[1]);
  cache.truncate(64);
  EXPECT_EQ(cache.bytes(), cache.shape().bytes_per_block());
}

// The memory of what is forgotten is that of what comes next: as much as ever was needed, and no two blocks in one
// place.
TEST_P(KvCacheOf, GrowsAgainWhereItForgot) {
  KvCache cache(shape(32));
  const auto blocks = [&] {
    std::vector<const std::byte*> all;
    for (std::size_t b = 0; b < 100; ++b) all.push_back(cache.key_block(0, b, 0));
    return all;
  };
  cache.reserve(64 * 100);
  const std::vector<const std::byte*> first = blocks();
  for (const std::size_t kept : {100u, 40u, 33u, 32u, 5u, 1u, 0u}) {
    cache.truncate(64 * kept);
    EXPECT_EQ(cache.bytes(), kept * cache.shape().bytes_per_block());
    cache.reserve(64 * 100);
    EXPECT_EQ(blocks(), first) << kept;
  }
  std::vector<const std::byte*> sorted = first;
  std::sort(sorted.begin(), sorted.end());
  for (std::size_t b = 1; b < 100; ++b) {
    EXPECT_GE(sorted[b] - sorted[b - 1], static_cast<std::ptrdiff_t>(cache.shape().bytes_per_block()));
  }
}

INSTANTIATE_TEST_SUITE_P(EveryType, KvCacheOf, testing::Values(DType::f32, DType::f16, DType::q8_0),
                         [](const auto& type) { return std::string(rung::info(type.param).name); });

TEST(KvShape, SaysWhatATokenTakes) {
  KvShape shape{.layers = 30, .kv_heads = 3, .head_dim = 64, .dtype = DType::f32};  // SmolLM2
  EXPECT_EQ(shape.bytes_per_position(), 30u * 2 * 3 * 64 * 4);
  shape.dtype = DType::f16;
  EXPECT_EQ(shape.bytes_per_position(), 30u * 2 * 3 * 64 * 2);
  shape.dtype = DType::q8_0;
  EXPECT_EQ(shape.bytes_per_position(), 30u * 2 * 3 * row_bytes(DType::q8_0, 64))
      << "34 bytes for 32 values, as in a file";
  EXPECT_EQ(shape.bytes_per_block(), 64 * shape.bytes_per_position());
  shape.head_dim = 40;
  EXPECT_EQ(shape.bytes_per_head(), 40u + 2 * 2) << "the last eight have a scale to themselves";
}

}  // namespace
}  // namespace rung
