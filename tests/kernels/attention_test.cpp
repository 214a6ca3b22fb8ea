// A block of attention and the combination of blocks, by every kernel set, held to the formula in double precision.
#include <gtest/gtest.h>

#include <algorithm>
#include <bit>
#include <cmath>
#include <cstring>
#include <limits>
#include <random>
#include <vector>

#include "base/half.h"
#include "kernels/kernels.h"

namespace rung {
namespace {

class Attention : public testing::TestWithParam<const Kernels*> {
 protected:
  const Kernels& kernels = *GetParam();
  std::mt19937 random{5};

  std::vector<float> some_values(std::size_t n, float size) {
    std::vector<float> x(n);
    for (float& v : x) v = size * (static_cast<float>(random() % 65536) / 32768.0f - 1.0f);
    return x;
  }

  // Rounded to f16 where the cache is, and the bytes that hold them, with room behind.
  static std::vector<std::byte> packed(std::vector<float>& values, bool halves) {
    std::vector<std::byte> bytes(values.size() * (halves ? 2 : 4) + 64);
    for (std::size_t i = 0; i < values.size(); ++i) {
      const f16 half = to_f16(values[i]);
      if (halves) values[i] = to_f32(half);
      std::memcpy(&bytes[i * (halves ? 2 : 4)], halves ? static_cast<const void*>(&half) : &values[i], halves ? 2 : 4);
    }
    return bytes;
  }

  // The kernels' partial result of one block, and of several combined.
  struct Block {
    std::vector<float> keys, values;  // [head_dim, 64], [64, head_dim]
    std::vector<std::byte> key_bytes, value_bytes;
  };
  Block some_block(std::size_t head_dim, bool halves) {
    Block b{some_values(head_dim * 64, 1), some_values(64 * head_dim, 1), {}, {}};
    b.key_bytes = packed(b.keys, halves);
    b.value_bytes = packed(b.values, halves);
    return b;
  }
  std::vector<float> partials_of(const Block& b, bool halves, std::size_t head_dim, const std::vector<float>& q, std::vector<AttentionBlock::Seen> seen) {
    std::vector<float> partials(seen.size() * partial_floats(head_dim));
    kernels.attend({b.key_bytes.data(), b.value_bytes.data(), halves, head_dim, kScale, q.data(), head_dim, seen.data(), seen.size(), partials.data(),
                    partial_floats(head_dim)});
    return partials;
  }

  static constexpr float kScale = 0.3f;
};

TEST_P(Attention, OfEveryPartOfABlockIsTheFormula) {
  for (const bool halves : {false, true}) {
    for (const std::size_t head_dim : {8u, 12u, 16u, 24u, 64u, 80u, 128u}) {
      const Block b = some_block(head_dim, halves);
      const std::vector<AttentionBlock::Seen> seen{{0, 64}, {0, 1}, {63, 64}, {3, 17}, {0, 33}, {31, 64}, {16, 32}, {5, 6}, {0, 63}, {1, 50}};
      const std::vector<float> q = some_values(seen.size() * head_dim, 1);
      const std::vector<float> partials = partials_of(b, halves, head_dim, q, seen);
      for (std::size_t i = 0; i < seen.size(); ++i) {
        SCOPED_TRACE(testing::Message() << "head_dim " << head_dim << ", keys " << seen[i].first << " to " << seen[i].end << (halves ? ", f16" : ", f32"));
        const float* partial = &partials[i * partial_floats(head_dim)];
        std::vector<double> scores(64, -std::numeric_limits<double>::infinity());
        for (std::size_t j = seen[i].first; j < seen[i].end; ++j) {
          scores[j] = 0;
          for (std::size_t d = 0; d < head_dim; ++d) scores[j] += static_cast<double>(q[i * head_dim + d]) * static_cast<double>(b.keys[d * 64 + j]);
          scores[j] *= static_cast<double>(kScale);
        }
        const double max = *std::max_element(scores.begin(), scores.end());
        double sum = 0;
        std::vector<double> values(head_dim);
        for (std::size_t j = 0; j < 64; ++j) {
          sum += std::exp(scores[j] - max);
          for (std::size_t d = 0; d < head_dim; ++d) values[d] += std::exp(scores[j] - max) * static_cast<double>(b.values[j * head_dim + d]);
        }
        // A score of n terms below 1 is off by some ε·n/2, e^x by as much again, and 64 of them are added.
        const double tolerance = std::numeric_limits<float>::epsilon() * (static_cast<double>(head_dim) + 64) * std::max(1.0, sum);
        EXPECT_NEAR(partial[0], max, tolerance);
        EXPECT_NEAR(partial[1], sum, tolerance);
        for (std::size_t d = 0; d < head_dim; ++d) EXPECT_NEAR(partial[kPartialHead + d], values[d], tolerance) << d;
      }
    }
  }
}

TEST_P(Attention, OfAQueryHasTheSameBitsInEveryCompany) {
  const std::size_t head_dim = 64;
  const Block b = some_block(head_dim, true);
  std::vector<AttentionBlock::Seen> seen;
  for (std::size_t i = 0; i < 24; ++i) seen.push_back({0, 40 + i});
  const std::vector<float> q = some_values(seen.size() * head_dim, 1);
  const std::vector<float> together = partials_of(b, true, head_dim, q, seen);
  for (std::size_t i = 0; i < seen.size(); ++i) {
    const auto begin = q.begin() + static_cast<std::ptrdiff_t>(i * head_dim);
    const std::vector<float> alone = partials_of(b, true, head_dim, {begin, begin + 64}, {seen[i]});
    for (const std::size_t at : {std::size_t{0}, std::size_t{1}, kPartialHead, kPartialHead + 63}) {
      EXPECT_EQ(std::bit_cast<std::uint32_t>(alone[at]), std::bit_cast<std::uint32_t>(together[i * partial_floats(head_dim) + at])) << i << " " << at;
    }
  }
}

// A query of 1e4 in one dimension makes softmax choose the one key that is largest there: the result is that key's value, exactly.
TEST_P(Attention, ChoosesTheKeyThatAOneHotQueryAsksFor) {
  const std::size_t head_dim = 16;
  Block b = some_block(head_dim, false);
  std::vector<float> q(head_dim);
  q[3] = 1e4f;
  b.keys[3 * 64 + 41] = 2;
  b.key_bytes = packed(b.keys, false);
  const std::vector<float> partial = partials_of(b, false, head_dim, q, {{0, 64}});
  EXPECT_EQ(partial[1], 1.0f);
  for (std::size_t d = 0; d < head_dim; ++d) EXPECT_EQ(partial[kPartialHead + d], b.values[41 * head_dim + d]);
}

TEST_P(Attention, CombinesBlocksWhoseMaximaLieFarApart) {
  const std::size_t head_dim = 16;
  std::vector<float> total(partial_floats(head_dim)), low(partial_floats(head_dim), 2.0f), high(partial_floats(head_dim), 3.0f);
  total[0] = -std::numeric_limits<float>::infinity();
  low[0] = -500;
  high[0] = 500;
  kernels.combine(total.data(), low.data(), head_dim);
  EXPECT_EQ(total[0], -500.0f) << "the first block is taken as it is";
  EXPECT_EQ(total[1], 2.0f);
  kernels.combine(total.data(), high.data(), head_dim);
  kernels.combine(total.data(), low.data(), head_dim);
  EXPECT_EQ(total[0], 500.0f) << "beside the second the others are nothing";
  EXPECT_EQ(total[1], 3.0f);
  for (std::size_t d = 0; d < head_dim; ++d) EXPECT_EQ(total[kPartialHead + d], 3.0f);
}

INSTANTIATE_TEST_SUITE_P(EverySet, Attention, testing::ValuesIn(supported_kernels().begin(), supported_kernels().end()),
                         [](const testing::TestParamInfo<const Kernels*>& set) { return std::string(set.param->name); });

}  // namespace
}  // namespace rung
