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

  // One head of a block of the cache: pieces of 64 positions.
  struct Block {
    std::size_t head_dim;
    std::size_t pieces;
    DType type;
    // each piece [head_dim, 64] and [64, head_dim]: what the cache's type makes of them
    std::vector<float> keys, values;
    std::vector<std::byte> key_bytes, value_bytes;
    std::vector<f16> key_scales, value_scales;  // of each piece [⌈head_dim / 32⌉, 64]

    std::size_t positions() const { return kPieceKeys * pieces; }
    std::size_t key_at(std::size_t j, std::size_t d) const {
      return j / kPieceKeys * kPieceKeys * head_dim + d * kPieceKeys + j % kPieceKeys;
    }
    std::size_t value_at(std::size_t j, std::size_t d) const { return j * head_dim + d; }
    std::size_t value_bytes_each() const { return type == DType::f32 ? 4 : type == DType::f16 ? 2 : 1; }
    std::size_t scales_per_head() const { return (head_dim + 31) / 32; }
  };

  // x[at(j, d)] of the positions, rounded; and the bytes that hold it, with room behind.
  template <class At>
  void pack(const Block& b, std::vector<float>& x, At at, std::vector<std::byte>& bytes, std::vector<f16>& scales) {
    const std::size_t size = b.value_bytes_each();
    bytes.assign(x.size() * size + 64, std::byte{0xff});
    scales.assign(b.scales_per_head() * b.positions(), f16{0x7fff});
    for (std::size_t j = 0; j < b.positions(); ++j) {
      std::vector<float> row(b.head_dim);
      for (std::size_t d = 0; d < b.head_dim; ++d) row[d] = x[at(j, d)];
      std::vector<std::int8_t> q(b.head_dim);
      std::vector<std::uint16_t> row_scales(b.scales_per_head());
      kernels.round_to_q8(q.data(), row_scales.data(), row.data(), b.head_dim);
      for (std::size_t d = 0; d < b.head_dim; ++d) {
        float& value = x[at(j, d)];
        std::byte* const to = &bytes[at(j, d) * size];
        if (b.type == DType::f32) std::memcpy(to, &value, 4);
        if (b.type == DType::f16) {
          const f16 half = to_f16(value);
          std::memcpy(to, &half, 2);
          value = to_f32(half);
        }
        if (b.type == DType::q8_0) {
          std::memcpy(to, &q[d], 1);
          scales[(j / kPieceKeys * b.scales_per_head() + d / 32) * kPieceKeys + j % kPieceKeys] = {row_scales[d / 32]};
          value = to_f32(f16{row_scales[d / 32]}) * static_cast<float>(q[d]);
        }
      }
    }
  }
  void pack(Block& b) {
    pack(b, b.keys, [&](std::size_t j, std::size_t d) { return b.key_at(j, d); }, b.key_bytes, b.key_scales);
    pack(b, b.values, [&](std::size_t j, std::size_t d) { return b.value_at(j, d); }, b.value_bytes, b.value_scales);
  }
  Block some_block(std::size_t head_dim, std::size_t pieces, DType type) {
    const std::size_t values = pieces * kPieceKeys * head_dim;
    Block b{head_dim, pieces, type, some_values(values, 1), some_values(values, 1), {}, {}, {}, {}};
    pack(b);
    return b;
  }

  // One call of the kernel: the queries [query, query + count).
  void attend(const Block& b, const std::vector<float>& q, const std::vector<AttentionBlock::Seen>& seen,
              std::size_t query, std::size_t count, std::vector<float>& partials) {
    const std::size_t stride = partial_floats(b.head_dim);
    AttentionBlock block{.pieces = {},
                         .next = count % 2 == 0 ? b.key_bytes.data() : nullptr,
                         .type = b.type,
                         .head_dim = b.head_dim,
                         .scale = kScale,
                         .queries = &q[query * b.head_dim],
                         .query_stride = b.head_dim,
                         .seen = &seen[query],
                         .query_count = count,
                         .partials = &partials[query * stride],
                         .partial_stride = stride};
    const std::size_t piece_bytes = kPieceKeys * b.head_dim * b.value_bytes_each(),
                      piece_scales = b.scales_per_head() * kPieceKeys;
    std::size_t first = b.positions(), end = 0;
    for (std::size_t i = query; i < query + count; ++i) {
      first = std::min(first, seen[i].first), end = std::max(end, seen[i].end);
    }
    for (std::size_t i = first / kPieceKeys; i * kPieceKeys < end; ++i) {  // those that a query sees, and no other
      block.pieces[i] = {&b.key_bytes[i * piece_bytes], &b.value_bytes[i * piece_bytes],
                         &b.key_scales[i * piece_scales], &b.value_scales[i * piece_scales]};
    }
    kernels.attend(block);
  }

  // In several calls, as long as `calls` says, again and again.
  std::vector<float> partials_of(const Block& b, const std::vector<float>& q,
                                 const std::vector<AttentionBlock::Seen>& seen, const std::vector<std::size_t>& calls) {
    std::vector<float> partials(seen.size() * partial_floats(b.head_dim));
    for (std::size_t query = 0, call = 0; query < seen.size(); ++call) {
      const std::size_t count = std::min(calls[call % calls.size()], seen.size() - query);
      attend(b, q, seen, query, count, partials);
      query += count;
    }
    return partials;
  }

  static constexpr float kScale = 0.3f;

  // Every set then uses its largest tile twice, and all smaller ones.
  static const std::vector<std::size_t> kEveryTile;
  static constexpr std::size_t kQueries = 60;
  static std::vector<AttentionBlock::Seen> as_many_as_fill_tiles(const std::vector<AttentionBlock::Seen>& some) {
    std::vector<AttentionBlock::Seen> seen;
    for (std::size_t i = 0; i < kQueries; ++i) seen.push_back(some[i % some.size()]);
    return seen;
  }
};

const std::vector<std::size_t> Attention::kEveryTile = {24, 8, 7, 6, 5, 4, 3, 2, 1};

TEST_P(Attention, OfEveryPartOfABlockIsTheFormula) {
  const std::vector<AttentionBlock::Seen> of_a_piece = {{0, 64},  {0, 1},   {63, 64}, {3, 17}, {0, 33},
                                                        {31, 64}, {16, 32}, {5, 6},   {0, 63}, {1, 50}};
  const std::vector<AttentionBlock::Seen> of_four = {{0, 256}, {0, 1},     {255, 256}, {64, 128}, {63, 65},  {100, 193},
                                                     {0, 192}, {130, 250}, {200, 201}, {1, 255},  {127, 129}};
  for (const DType type : kCacheTypes) {
    for (const std::size_t head_dim : kHeadDims) {
      for (const std::size_t pieces : {1u, 4u}) {
        const Block b = some_block(head_dim, pieces, type);
        const std::vector<AttentionBlock::Seen> seen = as_many_as_fill_tiles(pieces == 1 ? of_a_piece : of_four);
        const std::vector<float> q = some_values(seen.size() * head_dim, 1);
        const std::vector<float> partials = partials_of(b, q, seen, kEveryTile);
        for (std::size_t i = 0; i < seen.size(); ++i) {
          SCOPED_TRACE(testing::Message() << "head_dim " << head_dim << ", keys " << seen[i].first << " to "
                                          << seen[i].end << ", " << rung::info(type).name);
          const float* partial = &partials[i * partial_floats(head_dim)];
          std::vector<double> scores(b.positions(), -std::numeric_limits<double>::infinity());
          for (std::size_t j = seen[i].first; j < seen[i].end; ++j) {
            scores[j] = 0;
            for (std::size_t d = 0; d < head_dim; ++d) {
              scores[j] += static_cast<double>(q[i * head_dim + d]) * static_cast<double>(b.keys[b.key_at(j, d)]);
            }
            scores[j] *= static_cast<double>(kScale);
          }
          const double max = *std::max_element(scores.begin(), scores.end());
          double sum = 0;
          std::vector<double> values(head_dim);
          for (std::size_t j = 0; j < b.positions(); ++j) {
            sum += std::exp(scores[j] - max);
            for (std::size_t d = 0; d < head_dim; ++d) {
              values[d] += std::exp(scores[j] - max) * static_cast<double>(b.values[b.value_at(j, d)]);
            }
          }
          // A score of n terms below 1 is off by some ε·n/2, e^x by as much again, and all of them are added.
          const double tolerance = std::numeric_limits<float>::epsilon() *
                                   static_cast<double>(head_dim + b.positions()) * std::max(1.0, sum);
          EXPECT_NEAR(partial[0], max, tolerance);
          EXPECT_NEAR(partial[1], sum, tolerance);
          for (std::size_t d = 0; d < head_dim; ++d) EXPECT_NEAR(partial[kPartialHead + d], values[d], tolerance) << d;
        }
      }
    }
  }
}

TEST_P(Attention, OfAQueryHasTheSameBitsInEveryCompany) {
  for (const DType type : kCacheTypes) {
    for (const std::size_t head_dim : {40u, 64u}) {
      for (const std::size_t pieces : {1u, 4u}) {
        const Block b = some_block(head_dim, pieces, type);
        std::vector<AttentionBlock::Seen> seen;
        for (std::size_t i = 0; i < kQueries; ++i) {
          seen.push_back(
              {i % 17 < 5 ? 0 : pieces * (i % 31), std::min<std::size_t>(b.positions(), pieces * (36 + i % 40))});
        }
        const std::vector<float> q = some_values(seen.size() * head_dim, 1);
        const std::vector<float> alone = partials_of(b, q, seen, {1});
        for (const std::vector<std::size_t>& calls : {kEveryTile, {kQueries}}) {
          const std::vector<float> together = partials_of(b, q, seen, calls);
          for (std::size_t i = 0; i < seen.size(); ++i) {
            for (std::size_t at = 0; at < kPartialHead + head_dim; at = at == 1 ? kPartialHead : at + 1) {
              const std::size_t where = i * partial_floats(head_dim) + at;
              EXPECT_EQ(std::bit_cast<std::uint32_t>(alone[where]), std::bit_cast<std::uint32_t>(together[where]))
                  << "query " << i << ", float " << at << ", head_dim " << head_dim << ", pieces " << pieces << ", "
                  << info(type).name;
            }
          }
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
          for (const std::size_t where : {20u, 148u}) {  // the only piece of a block; the third of four
            Block b = some_block(head_dim, where == 20 ? 1 : 4, type);
            (in_keys ? b.keys[b.key_at(where, 7)] : b.values[b.value_at(where, 7)]) = odd;
            pack(b);
            // Neighbours in every tile: some end before it or start behind it, in turn with those that see it.
            const std::size_t to = b.positions();
            const std::vector<AttentionBlock::Seen> seen = as_many_as_fill_tiles({{0, where},
                                                                                  {0, where + 1},
                                                                                  {0, where},
                                                                                  {0, where + 2},
                                                                                  {where, to},
                                                                                  {where + 1, to},
                                                                                  {where + 1, where + 10},
                                                                                  {0, to},
                                                                                  {0, 1},
                                                                                  {where, where + 1},
                                                                                  {where + 20, where + 30}});
            const std::vector<float> q(seen.size() * head_dim, 0.01f);
            const std::vector<float> partials = partials_of(b, q, seen, kEveryTile);
            for (std::size_t i = 0; i < seen.size(); ++i) {
              SCOPED_TRACE(testing::Message() << rung::info(type).name << ", head_dim " << head_dim << ", " << odd
                                              << (in_keys ? " in key " : " in value ") << where << ", keys "
                                              << seen[i].first << " to " << seen[i].end);
              const float* const partial = &partials[i * partial_floats(head_dim)];
              const bool sees = seen[i].first <= where && seen[i].end > where;
              const auto is_finite = [](float x) { return std::isfinite(x); };
              const bool all_finite = std::all_of(partial, partial + 2, is_finite) &&
                                      std::all_of(partial + kPartialHead, partial + kPartialHead + head_dim, is_finite);
              // A key whose score is -infinity is not looked at, nor is what stands there; when it is the only one,
              // softmax has no answer.
              const bool no_weight =
                  in_keys && odd == -infinity && type != DType::q8_0 && seen[i].end - seen[i].first > 1;
              EXPECT_EQ(all_finite, !sees || no_weight);
              if (sees && !in_keys) {
                EXPECT_FALSE(std::isfinite(partial[kPartialHead + 7])) << "the dimension where it stands";
                EXPECT_EQ(std::isfinite(partial[kPartialHead + 8]), type != DType::q8_0)
                    << "and no other, but those that share its scale";
              }
            }
          }
        }
      }
    }
  }
}

// A query of 1e4 in one dimension makes softmax choose the one key that is largest there: the result is that key's
// value, exactly.
TEST_P(Attention, ChoosesTheKeyThatAOneHotQueryAsksFor) {
  const std::size_t head_dim = 16;
  for (const std::size_t chosen : {41u, 170u}) {
    Block b = some_block(head_dim, 4, DType::f32);
    std::vector<float> q(head_dim);
    q[3] = 1e4f;
    b.keys[b.key_at(chosen, 3)] = 2;
    pack(b);
    const std::vector<float> partial = partials_of(b, q, {{0, 256}}, {1});
    EXPECT_EQ(partial[1], 1.0f);
    for (std::size_t d = 0; d < head_dim; ++d) EXPECT_EQ(partial[kPartialHead + d], b.values[b.value_at(chosen, d)]);
  }
}

// All keys alike: the result is the sum of the values, which may be anything.
TEST_P(Attention, AddsZerosDenormalsAndHugeValues) {
  const std::size_t head_dim = 24;
  for (const float value : {0.0f, -0.0f, 0x1p-140f, 1e-30f, 1e30f}) {
    Block b = some_block(head_dim, 4, DType::f32);
    std::fill(b.keys.begin(), b.keys.end(), value > 1 ? -value : value);
    std::fill(b.values.begin(), b.values.end(), value);
    for (std::size_t d = 0; d < head_dim; ++d) b.values[b.value_at(100, d)] = -value;
    pack(b);
    const std::vector<float> q(7 * head_dim, 1.0f);
    const std::vector<float> partials = partials_of(b, q, std::vector<AttentionBlock::Seen>(7, {0, 256}), {4, 3});
    for (std::size_t i = 0; i < 7; ++i) {
      SCOPED_TRACE(testing::Message() << "value " << value << ", query " << i);
      EXPECT_EQ(partials[i * partial_floats(head_dim) + 1], 256.0f);
      for (std::size_t d = 0; d < head_dim; ++d) {
        const double sum = 254 * static_cast<double>(value),
                     tolerance = 256 * static_cast<double>(std::numeric_limits<float>::epsilon()) * sum;
        EXPECT_NEAR(partials[i * partial_floats(head_dim) + kPartialHead + d], sum, tolerance);
      }
    }
  }
}

TEST_P(Attention, ChoosesAHugeScoreBesideOthersAsLow) {
  const std::size_t head_dim = 16, chosen = 77;
  Block b = some_block(head_dim, 4, DType::f32);
  std::fill(b.keys.begin(), b.keys.end(), -1e30f);
  for (std::size_t d = 0; d < head_dim; ++d) b.keys[b.key_at(chosen, d)] = 1e30f;
  pack(b);
  const std::vector<float> partial = partials_of(b, std::vector<float>(head_dim, 1e3f), {{0, 256}}, {1});
  EXPECT_EQ(partial[1], 1.0f);
  for (std::size_t d = 0; d < head_dim; ++d) EXPECT_EQ(partial[kPartialHead + d], b.values[b.value_at(chosen, d)]);
}

TEST_P(Attention, CombinesNaNAndInfinityIntoTheirQueryAlone) {
  const std::size_t head_dim = 24, queries = 19, stride = partial_floats(head_dim);
  for (const float odd : {std::numeric_limits<float>::quiet_NaN(), std::numeric_limits<float>::infinity()}) {
    std::vector<float> totals(queries * stride, 1.0f), partials(queries * stride, 1.0f);
    partials[4 * stride + 1] = odd;                   // a sum
    partials[17 * stride + kPartialHead + 20] = odd;  // a value
    kernels.combine(totals.data(), partials.data(), queries, stride, head_dim);
    for (std::size_t i = 0; i < queries; ++i) {
      EXPECT_EQ(std::isfinite(totals[i * stride + 1]), i != 4) << i << ", " << odd;
      for (std::size_t d = 0; d < head_dim; ++d) {
        EXPECT_EQ(std::isfinite(totals[i * stride + kPartialHead + d]), i != 17 || d != 20)
            << i << ", " << d << ", " << odd;
      }
    }
  }
}

TEST_P(Attention, CombinesBlocksWhoseMaximaLieFarApart) {
  // more queries than a register has lanes
  const std::size_t head_dim = 16, queries = 21, stride = partial_floats(head_dim);
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
        EXPECT_NEAR(totals[i * stride + kPartialHead + d], expected, 4e-6)
            << "query " << i << " of " << queries << ", " << d;
      }
    }
  }
}

INSTANTIATE_TEST_SUITE_P(EverySet, Attention, testing::ValuesIn(supported_kernels().begin(), supported_kernels().end()),
                         [](const testing::TestParamInfo<const Kernels*>& set) {
                           return std::string(set.param->name);
                         });

}  // namespace
}  // namespace rung
