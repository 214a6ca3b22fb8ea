// Attention over a context of many blocks: the formula, as the reference computes it, and the same bits for a token
// however it comes.
#include <gtest/gtest.h>

#include <cmath>
#include <limits>
#include <numeric>
#include <random>
#include <vector>

#include "ops/cpu.h"
#include "ops/reference.h"

namespace rung {
namespace {

// Beyond the short blocks at the beginning and across two boundaries of long ones.
constexpr std::size_t kPositions = 600;
// of a prompt: so that neighbouring tokens that are taken together lie on both sides of a boundary
constexpr std::size_t kFirst = 5;
constexpr std::size_t kKvHeads = 2, kHeads = 6, kHeadDim = 40;

class LongAttention : public testing::TestWithParam<DType> {
 protected:
  LongAttention() {
    for (std::vector<float>* x : {&q_, &k_, &v_}) {
      x->resize(kPositions * (x == &q_ ? kHeads : kKvHeads) * kHeadDim);
      for (float& value : *x) value = static_cast<float>(random_() % 2001) / 1000.0f - 1.0f;
    }
    std::iota(positions_.begin(), positions_.end(), 0u);
  }

  KvCache stored(Ops& ops) {
    KvCache cache({.layers = 1, .kv_heads = kKvHeads, .head_dim = kHeadDim, .dtype = GetParam()});
    cache.reserve(kPositions);
    const std::vector<KvCache*> caches(kPositions, &cache);
    ops.do_store_kv({positions_, caches}, 0, {k_.data(), {kPositions, kKvHeads, kHeadDim}},
                    {v_.data(), {kPositions, kKvHeads, kHeadDim}});
    return cache;
  }

  // What the rows [first, first + count) get, all in one batch.
  std::vector<float> attended(Ops& ops, KvCache& cache, std::size_t window, std::size_t first, std::size_t count) {
    std::vector<float> out(count * kRow);
    const std::vector<KvCache*> caches(count, &cache);
    ops.do_attention({out.data(), {count, kHeads, kHeadDim}}, {q_.data() + first * kRow, {count, kHeads, kHeadDim}},
                     {std::span(positions_).subspan(first, count), caches}, 0,
                     {.scale = 2.0f, .window_tokens = window});
    return out;
  }

  static constexpr std::size_t kRow = kHeads * kHeadDim;
  std::mt19937 random_{3};
  std::vector<float> q_, k_, v_;
  std::vector<std::uint32_t> positions_ = std::vector<std::uint32_t>(kPositions);
};

TEST_P(LongAttention, IsThatOfTheReference) {
  ThreadTeam team(3);
  CpuOps fast(team);
  ReferenceOps reference(team);
  KvCache of_fast = stored(fast), of_reference = stored(reference);
  for (const std::size_t window : {0u, 1u, 70u, 300u}) {
    const std::vector<float> ours = attended(fast, of_fast, window, kFirst, kPositions - kFirst);
    const std::vector<float> expected = attended(reference, of_reference, window, kFirst, kPositions - kFirst);
    // Values below 1 and weights that sum up to 1: each weight is off by the rounding of a score (40 terms, up to 40 in
    // magnitude).
    const float tolerance =
        4 * kHeadDim * std::numeric_limits<float>::epsilon() * std::sqrt(static_cast<float>(kHeadDim));
    for (std::size_t i = 0; i < ours.size(); ++i) {
      ASSERT_NEAR(ours[i], expected[i], tolerance)
          << "token " << i / kRow << ", value " << i % kRow << ", window " << window;
    }
  }
}

TEST_P(LongAttention, GivesATokenTheSameBitsInAPromptAndAlone) {
  ThreadTeam three(3);
  CpuOps prompt(three);
  KvCache cache = stored(prompt);
  for (const std::size_t window : {0u, 1u, 70u, 300u}) {
    const std::vector<float> all = attended(prompt, cache, window, kFirst, kPositions - kFirst);
    for (const std::size_t threads : {1u, 2u, 5u}) {
      ThreadTeam team(threads);
      CpuOps ops(team);
      for (const std::size_t t : {5u, 63u, 64u, 255u, 256u, 257u, 300u, 511u, 512u, 580u, 599u}) {
        const std::vector<float> row(&all[(t - kFirst) * kRow], &all[(t - kFirst) * kRow] + kRow);
        EXPECT_EQ(attended(ops, cache, window, t, 1), row)
            << "token " << t << ", window " << window << ", " << threads << " threads";
      }
    }
  }
}

TEST_P(LongAttention, GivesATokenTheSameBitsBesideAnotherSequence) {
  ThreadTeam team(3);
  CpuOps ops(team);
  KvCache first = stored(ops);
  std::swap(k_, v_);
  KvCache second = stored(ops);
  const std::vector<std::uint32_t> positions = {510, 511, 512, 100, 598, 599};
  const std::vector<KvCache*> caches = {&first, &first, &first, &second, &second, &second};
  std::vector<float> together(positions.size() * kRow), q;
  for (const std::uint32_t t : positions) q.insert(q.end(), &q_[t * kRow], &q_[t * kRow] + kRow);
  ops.do_attention({together.data(), {positions.size(), kHeads, kHeadDim}},
                   {q.data(), {positions.size(), kHeads, kHeadDim}}, {positions, caches}, 0, {.scale = 2.0f});
  for (std::size_t i = 0; i < positions.size(); ++i) {
    const std::vector<float> row(&together[i * kRow], &together[i * kRow] + kRow);
    EXPECT_EQ(attended(ops, *caches[i], 0, positions[i], 1), row) << "row " << i;
  }
}

INSTANTIATE_TEST_SUITE_P(EveryCache, LongAttention, testing::Values(DType::f32, DType::f16, DType::q8_0),
                         [](const auto& type) { return std::string(rung::info(type.param).name); });

}  // namespace
}  // namespace rung
