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
#include "kernels/cases.h"
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

  // One head of a block of the cache.
  struct Block {
    std::size_t head_dim;
    DType type;
    std::vector<float> keys, values;  // [head_dim, 64], [64, head_dim]: what the cache's type makes of them
    std::vector<std::byte> key_bytes, value_bytes;
    std::vector<f16> key_scales, value_scales;
  };

  // x[j·stride + d·step] of the 64 positions, rounded; and the bytes that hold it, with room behind.
  void pack(const Block& b, std::vector<float>& x, std::size_t stride, std::size_t step, std::vector<std::byte>& bytes,
            std::vector<f16>& scales) {
    const std::size_t size = b.type == DType::f32 ? 4 : b.type == DType::f16 ? 2 : 1;
    bytes.assign(x.size() * size + 64, std::byte{0xff});
    scales.assign((b.head_dim + 31) / 32 * 64, f16{0x7fff});
    for (std::size_t j = 0; j < 64; ++j) {
      std::vector<float> row(b.head_dim);
      for (std::size_t d = 0; d < b.head_dim; ++d) row[d] = x[j * stride + d * step];
      std::vector<std::int8_t> q(b.head_dim);
      std::vector<std::uint16_t> row_scales((b.head_dim + 31) / 32);
      kernels.round_to_q8(q.data(), row_scales.data(), row.data(), b.head_dim);
      for (std::size_t d = 0; d < b.head_dim; ++d) {
        float& value = x[j * stride + d * step];
        std::byte* const to = &bytes[(j * stride + d * step) * size];
        if (b.type == DType::f32) std::memcpy(to, &value, 4);
        if (b.type == DType::f16) {
          const f16 half = to_f16(value);
          std::memcpy(to, &half, 2);
          value = to_f32(half);
        }
        if (b.type == DType::q8_0) {
          std::memcpy(to, &q[d], 1);
          scales[d / 32 * 64 + j] = {row_scales[d / 32]};
          value = to_f32(f16{row_scales[d / 32]}) * static_cast<float>(q[d]);
        }
      }
    }
  }
  void pack(Block& b) {
    pack(b, b.keys, 1, 64, b.key_bytes, b.key_scales);
    pack(b, b.values, b.head_dim, 1, b.value_bytes, b.value_scales);
  }
  Block some_block(std::size_t head_dim, DType type) {
    Block b{head_dim, type, some_values(head_dim * 64, 1), some_values(64 * head_dim, 1), {}, {}, {}, {}};
    pack(b);
    return b;
  }

  std::vector<float> partials_of(const Block& b, const std::vector<float>& q, const std::vector<AttentionBlock::Seen>& seen) {
    std::vector<float> partials(seen.size() * partial_floats(b.head_dim));
    kernels.attend({.keys = b.key_bytes.data(), .values = b.value_bytes.data(), .next = seen.size() % 2 == 0 ? b.key_bytes.data() : nullptr,
                    .type = b.type, .key_scales = b.key_scales.data(), .value_scales = b.value_scales.data(), .head_dim = b.head_dim,
                    .scale = kScale, .queries = q.data(), .query_stride = b.head_dim, .seen = seen.data(), .query_count = seen.size(),
                    .partials = partials.data(), .partial_stride = partial_floats(b.head_dim)});
    return partials;
  }

  static constexpr float kScale = 0.3f;

  // So many that every set uses its largest tile twice, and all smaller ones: 12 + 12 + 6 + 3 + 2.
  static constexpr std::size_t kQueries = 35;
  static std::vector<AttentionBlock::Seen> as_many_as_fill_tiles(const std::vector<AttentionBlock::Seen>& some) {
    std::vector<AttentionBlock::Seen> seen;
    for (std::size_t i = 0; i < kQueries; ++i) seen.push_back(some[i % some.size()]);
    return seen;
  }
};

TEST_P(Attention, OfEveryPartOfABlockIsTheFormula) {
  for (const DType type : kCacheTypes) {
    for (const std::size_t head_dim : kHeadDims) {
      const Block b = some_block(head_dim, type);
      const std::vector<AttentionBlock::Seen> seen = as_many_as_fill_tiles(
          {{0, 64}, {0, 1}, {63, 64}, {3, 17}, {0, 33}, {31, 64}, {16, 32}, {5, 6}, {0, 63}, {1, 50}});
      const std::vector<float> q = some_values(seen.size() * head_dim, 1);
      const std::vector<float> partials = partials_of(b, q, seen);
      for (std::size_t i = 0; i < seen.size(); ++i) {
        SCOPED_TRACE(testing::Message() << "head_dim " << head_dim << ", keys " << seen[i].first << " to " << seen[i].end << ", "
                                        << rung::info(type).name);
        const float* partial = &partials[i * partial_floats(head_dim)];
        std::vector<double> scores(64, -std::numeric_limits<double>::infinity());
        for (std::size_t j = seen[i].first; j < seen[i].end; ++j) {
          scores[j] = 0;
          for (std::size_t d = 0; d < head_dim; ++d) {
            scores[j] += static_cast<double>(q[i * head_dim + d]) * static_cast<double>(b.keys[d * 64 + j]);
          }
          scores[j] *= static_cast<double>(kScale);
        }
        const double max = *std::max_element(scores.begin(), scores.end());
        double sum = 0;
        std::vector<double> values(head_dim);
        for (std::size_t j = 0; j < 64; ++j) {
          sum += std::exp(scores[j] - max);
          for (std::size_t d = 0; d < head_dim; ++d) {
            values[d] += std::exp(scores[j] - max) * static_cast<double>(b.values[j * head_dim + d]);
          }
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
  for (const DType type : kCacheTypes) {
    for (const std::size_t head_dim : {40u, 64u}) {
      const Block b = some_block(head_dim, type);
      std::vector<AttentionBlock::Seen> seen;
      for (std::size_t i = 0; i < kQueries; ++i) seen.push_back({i < 12 ? 0 : i, std::min<std::size_t>(64, 36 + i)});
      const std::vector<float> q = some_values(seen.size() * head_dim, 1);
      const std::vector<float> together = partials_of(b, q, seen);
      for (std::size_t i = 0; i < seen.size(); ++i) {
        const auto begin = q.begin() + static_cast<std::ptrdiff_t>(i * head_dim);
        const std::vector<float> alone = partials_of(b, {begin, begin + static_cast<std::ptrdiff_t>(head_dim)}, {seen[i]});
        for (std::size_t at = 0; at < kPartialHead + head_dim; at = at == 1 ? kPartialHead : at + 1) {
          EXPECT_EQ(std::bit_cast<std::uint32_t>(alone[at]), std::bit_cast<std::uint32_t>(together[i * partial_floats(head_dim) + at]))
              << "query " << i << ", float " << at << ", head_dim " << head_dim << ", " << info(type).name;
        }
      }
    }
  }
}

// What a key or a value holds reaches the queries that see it, and no other, whatever it is: 0·NaN would be NaN.
TEST_P(Attention, HandsNaNAndInfinityToThoseWhoSeeThemAlone) {
  const float infinity = std::numeric_limits<float>::infinity();
  for (const DType type : kCacheTypes) {
    for (const std::size_t head_dim : {24u, 64u}) {
      for (const float odd : {std::numeric_limits<float>::quiet_NaN(), infinity, -infinity}) {
        for (const bool in_keys : {false, true}) {
          Block b = some_block(head_dim, type);
          (in_keys ? b.keys[7 * 64 + 20] : b.values[20 * head_dim + 7]) = odd;
          pack(b);
          // Neighbours in every tile: some end before it or start behind it, in turn with those that see it.
          const std::vector<AttentionBlock::Seen> seen = as_many_as_fill_tiles(
              {{0, 20}, {0, 21}, {0, 20}, {0, 22}, {20, 64}, {21, 64}, {21, 30}, {0, 64}, {0, 1}, {20, 21}, {40, 50}});
          const std::vector<float> q(seen.size() * head_dim, 0.01f);
          const std::vector<float> partials = partials_of(b, q, seen);
          for (std::size_t i = 0; i < seen.size(); ++i) {
            SCOPED_TRACE(testing::Message() << rung::info(type).name << ", head_dim " << head_dim << ", " << odd
                                            << (in_keys ? " in a key" : " in a value") << ", keys " << seen[i].first << " to "
                                            << seen[i].end);
            const float* const partial = &partials[i * partial_floats(head_dim)];
            const bool sees = seen[i].first <= 20 && seen[i].end > 20;
            const auto is_finite = [](float x) { return std::isfinite(x); };
            const bool all_finite = std::all_of(partial, partial + 2, is_finite) &&
                                    std::all_of(partial + kPartialHead, partial + kPartialHead + head_dim, is_finite);
            // A key whose score is -infinity is not looked at, nor is what stands there; when it is the only one, softmax has no answer.
            const bool no_weight = in_keys && odd == -infinity && type != DType::q8_0 && seen[i].end - seen[i].first > 1;
            EXPECT_EQ(all_finite, !sees || no_weight);
            if (sees && !in_keys) {
              EXPECT_FALSE(std::isfinite(partial[kPartialHead + 7])) << "the dimension where it stands";
              EXPECT_EQ(std::isfinite(partial[kPartialHead + 8]), type != DType::q8_0) << "and no other, but those that share its scale";
            }
          }
        }
      }
    }
  }
}

// A query of 1e4 in one dimension makes softmax choose the one key that is largest there: the result is that key's value, exactly.
TEST_P(Attention, ChoosesTheKeyThatAOneHotQueryAsksFor) {
  const std::size_t head_dim = 16;
  Block b = some_block(head_dim, DType::f32);
  std::vector<float> q(head_dim);
  q[3] = 1e4f;
  b.keys[3 * 64 + 41] = 2;
  pack(b);
  const std::vector<float> partial = partials_of(b, q, {{0, 64}});
  EXPECT_EQ(partial[1], 1.0f);
  for (std::size_t d = 0; d < head_dim; ++d) EXPECT_EQ(partial[kPartialHead + d], b.values[41 * head_dim + d]);
}

TEST_P(Attention, CombinesBlocksWhoseMaximaLieFarApart) {
  const std::size_t head_dim = 16, queries = 21, stride = partial_floats(head_dim);  // more queries than a register has lanes
  std::vector<float> totals(queries * stride), low(queries * stride, 2.0f), high(queries * stride);
  for (std::size_t i = 0; i < queries; ++i) {
    totals[i * stride] = -std::numeric_limits<float>::infinity();
    low[i * stride] = -500;
    std::fill_n(&high[i * stride], stride, static_cast<float>(i));
    high[i * stride] = 500;
  }
  kernels.combine(totals.data(), low.data(), queries, stride, head_dim);
  for (std::size_t i = 0; i < queries; ++i) {
    EXPECT_EQ(totals[i * stride], -500.0f) << "the first block is taken as it is";
    EXPECT_EQ(totals[i * stride + 1], 2.0f);
  }
  kernels.combine(totals.data(), high.data(), queries, stride, head_dim);
  kernels.combine(totals.data(), low.data(), queries, stride, head_dim);
  for (std::size_t i = 0; i < queries; ++i) {
    EXPECT_EQ(totals[i * stride], 500.0f) << "beside the second the others are nothing";
    EXPECT_EQ(totals[i * stride + 1], static_cast<float>(i));
    for (std::size_t d = 0; d < head_dim; ++d) EXPECT_EQ(totals[i * stride + kPartialHead + d], static_cast<float>(i));
  }
}

TEST_P(Attention, CombinesEachQueryWithItsOwnPart) {
  const std::size_t head_dim = 40, stride = partial_floats(head_dim);
  for (const std::size_t queries : {1u, 15u, 16u, 17u, 32u, 33u}) {
    std::vector<float> totals(queries * stride), partials(queries * stride);
    const auto part = [](std::size_t i, std::size_t d) { return static_cast<float>((7 * i + 3 * d) % 11); };
    for (std::size_t i = 0; i < queries; ++i) {
      totals[i * stride] = 1;
      partials[i * stride] = 1 + static_cast<float>(i) * 0.25f;
      totals[i * stride + 1] = partials[i * stride + 1] = 1;
      for (std::size_t d = 0; d < head_dim; ++d) {
        totals[i * stride + kPartialHead + d] = part(i, d);
        partials[i * stride + kPartialHead + d] = part(i, d + 1);
      }
    }
    kernels.combine(totals.data(), partials.data(), queries, stride, head_dim);
    for (std::size_t i = 0; i < queries; ++i) {
      const double share = std::exp(-0.25 * static_cast<double>(i));
      EXPECT_NEAR(totals[i * stride + 1], share + 1, 4e-7) << "query " << i << " of " << queries;
      for (std::size_t d = 0; d < head_dim; ++d) {
        const double expected = share * static_cast<double>(part(i, d)) + static_cast<double>(part(i, d + 1));
        EXPECT_NEAR(totals[i * stride + kPartialHead + d], expected, 4e-6) << "query " << i << " of " << queries << ", " << d;
      }
    }
  }
}

INSTANTIATE_TEST_SUITE_P(EverySet, Attention, testing::ValuesIn(supported_kernels().begin(), supported_kernels().end()),
                         [](const testing::TestParamInfo<const Kernels*>& set) { return std::string(set.param->name); });

}  // namespace
}  // namespace rung
