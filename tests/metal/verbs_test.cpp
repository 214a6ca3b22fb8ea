// Each verb of the GPU's backend against the reference's: the host half as it is, on a runtime that executes the
// kernels on the processor.
#include <gtest/gtest.h>

#include <cmath>
#include <vector>

#include "metal/verbs_for_tests.h"

namespace rung {
namespace {

TEST_F(MetalVerbs, Embed) {
  for (const DTypeInfo& type : kDTypes) {
    const AnyMatrix table(type.type, 11, 512, random_);
    const std::vector<std::int32_t> ids{3, 0, 10, 3, 7};
    const Buffer<float> out = lent(std::vector<float>(ids.size() * 512));
    std::vector<float> expected(ids.size() * 512);
    metal_->do_embed({out.data(), {ids.size(), 512}}, ids, table.w, 1.5f);
    reference_.do_embed({expected.data(), {ids.size(), 512}}, ids, table.w, 1.5f);
    metal_->finish();
    expect_near(values_of(out), expected, 1e-6, std::string(type.name));
  }
}

TEST_F(MetalVerbs, LinearInEveryFormat) {
  for (const DTypeInfo& type : kDTypes) {
    AnyMatrix matrix(type.type, 37, 768, random_);
    for (const std::size_t tokens : {1u, 3u, 8u, 9u, 40u}) {
      const std::vector<float> x = some(tokens * 768);
      const Buffer<float> x_lent = lent(x), out = lent(std::vector<float>(tokens * 37, -1.0f));
      std::vector<float> expected(tokens * 37);
      metal_->do_linear({out.data(), {tokens, 37}}, {x_lent.data(), {tokens, 768}}, matrix.w);
      reference_.do_linear({expected.data(), {tokens, 37}}, {x.data(), {tokens, 768}}, matrix.w);
      metal_->finish();
      expect_near(values_of(out), expected, 1e-6, std::string(type.name) + ", tokens " + std::to_string(tokens));
    }
  }
}

// Tails of k and of rows, a bias, and the rows of a head as llama.cpp's files have them.
TEST_F(MetalVerbs, LinearOfAnyShape) {
  for (const DType type : {DType::f32, DType::f16, DType::bf16, DType::q8_0}) {
    for (const std::size_t columns : {8u, 36u, 64u, 96u, 544u}) {
      if (columns % info(type).values_per_block != 0) continue;
      AnyMatrix matrix(type, 24, columns, random_);
      matrix.w.bias = some(24);
      matrix.w.neighbours_head_dim = 12;
      for (const std::size_t tokens : {1u, 33u}) {
        const std::vector<float> x = some(tokens * columns);
        const Buffer<float> x_lent = lent(x), out = lent(std::vector<float>(tokens * 24, -1.0f));
        std::vector<float> expected(tokens * 24);
        metal_->do_linear({out.data(), {tokens, 24}}, {x_lent.data(), {tokens, columns}}, matrix.w);
        reference_.do_linear({expected.data(), {tokens, 24}}, {x.data(), {tokens, columns}}, matrix.w);
        metal_->finish();
        expect_near(values_of(out), expected, 1e-6, std::string(info(type).name) + " of " + std::to_string(columns));
      }
    }
  }
}

TEST_F(MetalVerbs, LinearGivesATokenTheSameBitsInAnyCompany) {
  for (const DType type : {DType::f32, DType::q4_0, DType::q4_k, DType::q6_k}) {
    const AnyMatrix matrix(type, 40, 1280, random_);
    const std::size_t tokens = 70;
    const Buffer<float> x = lent(some(tokens * 1280)), all = lent(std::vector<float>(tokens * 40));
    metal_->do_linear({all.data(), {tokens, 40}}, {x.data(), {tokens, 1280}}, matrix.w);
    metal_->finish();
    for (const std::size_t some_tokens : {1u, 2u, 8u, 33u}) {
      const Buffer<float> few = lent(std::vector<float>(some_tokens * 40));
      metal_->do_linear({few.data(), {some_tokens, 40}}, {x.data(), {some_tokens, 1280}}, matrix.w);
      metal_->finish();
      EXPECT_EQ(values_of(few), std::vector<float>(all.data(), all.data() + some_tokens * 40)) << some_tokens;
    }
  }
}

TEST_F(MetalVerbs, RmsNorm) {
  for (const std::size_t columns : {8u, 12u, 64u, 192u, 2048u, 5000u}) {
    const std::vector<float> x = some(3 * columns);
    const Norm norm{"n", some(columns), 1e-5f};
    const Buffer<float> in_place = lent(x);
    std::vector<float> expected(x.size());
    metal_->do_rms_norm({in_place.data(), {3, columns}}, {in_place.data(), {3, columns}}, norm);
    reference_.do_rms_norm({expected.data(), {3, columns}}, {x.data(), {3, columns}}, norm);
    metal_->finish();
    expect_near(values_of(in_place), expected, 1e-6, std::to_string(columns));
  }
}

// What stood at an address once is not taken for what stands there now.
TEST_F(MetalVerbs, RmsNormReadsItsWeightAnew) {
  Norm norm{"n", some(32), 1e-5f};
  const std::vector<float> x = some(32);
  const Buffer<float> lent_x = lent(x), first = lent(std::vector<float>(32)), second = lent(std::vector<float>(32));
  metal_->do_rms_norm({first.data(), {1, 32}}, {lent_x.data(), {1, 32}}, norm);
  std::vector<float> expected_first(32), expected_second(32);
  reference_.do_rms_norm({expected_first.data(), {1, 32}}, {x.data(), {1, 32}}, norm);
  for (float& w : norm.weight) w += 1;
  metal_->do_rms_norm({second.data(), {1, 32}}, {lent_x.data(), {1, 32}}, norm);
  reference_.do_rms_norm({expected_second.data(), {1, 32}}, {x.data(), {1, 32}}, norm);
  metal_->finish();
  expect_near(values_of(first), expected_first, 1e-6, "first");
  expect_near(values_of(second), expected_second, 1e-6, "second");
}

TEST_F(MetalVerbs, Rope) {
  for (const std::size_t half : {4u, 6u, 64u}) {
    const std::vector<float> x = some(3 * 5 * 2 * half);
    Rope rope;
    for (std::size_t i = 0; i < half; ++i) {
      rope.inverse_frequencies.push_back(std::pow(10000.0f, -static_cast<float>(i) / static_cast<float>(half)));
    }
    rope.magnitude = 1.25f;
    const std::vector<std::uint32_t> positions{0, 77, 4000};
    const Buffer<float> out = lent(x);
    std::vector<float> expected = x;
    metal_->do_rope({out.data(), {3, 5, 2 * half}}, positions, rope);
    reference_.do_rope({expected.data(), {3, 5, 2 * half}}, positions, rope);
    metal_->finish();
    expect_near(values_of(out), expected, 1e-6, std::to_string(half));
  }
}

TEST_F(MetalVerbs, GateAddAndTakeRows) {
  for (const Activation activation : {Activation::silu, Activation::gelu_tanh}) {
    std::vector<float> gate = some(3 * 100, 3.0f);
    gate[0] = 200.0f;
    gate[1] = -200.0f;
    const std::vector<float> up = some(3 * 100);
    const Buffer<float> out = lent(gate), lent_up = lent(up);
    std::vector<float> expected(gate.size());
    metal_->do_gate({out.data(), {3, 100}}, {out.data(), {3, 100}}, {lent_up.data(), {3, 100}}, activation);
    reference_.do_gate({expected.data(), {3, 100}}, {gate.data(), {3, 100}}, {up.data(), {3, 100}}, activation);
    metal_->finish();
    expect_near(values_of(out), expected, 1e-6, "gate");
    std::vector<float> sum = expected;
    metal_->do_add({out.data(), {3, 100}}, {lent_up.data(), {3, 100}});
    reference_.do_add({sum.data(), {3, 100}}, {up.data(), {3, 100}});
    metal_->finish();
    expect_near(values_of(out), sum, 1e-6, "add");
  }
  const std::vector<float> x = some(5 * 33);
  const std::vector<std::size_t> rows{1, 4};
  const Buffer<float> lent_x = lent(x), out = lent(std::vector<float>(2 * 33));
  metal_->do_take_rows({out.data(), {2, 33}}, {lent_x.data(), {5, 33}}, rows);
  metal_->finish();
  std::vector<float> expected(x.begin() + 33, x.begin() + 66);
  expected.insert(expected.end(), x.begin() + 4 * 33, x.end());
  EXPECT_EQ(values_of(out), expected);
}

// ---- Keys, values, attention ----

struct Shape {
  std::size_t heads, kv_heads, head_dim;
};

class MetalAttention : public MetalVerbs, public testing::WithParamInterface<DType> {
 protected:
  // Positions [0, count) of a sequence, stored by both backends: the caches then hold the same bytes.
  struct Pair {
    KvCache metal, reference;
  };
  void store(Pair& caches, const Shape& shape, std::size_t count, std::size_t layer) {
    const std::size_t row = shape.kv_heads * shape.head_dim;
    const std::vector<float> k = some(count * row), v = some(count * row);
    const Buffer<float> lent_k = lent(k), lent_v = lent(v);
    std::vector<std::uint32_t> positions;
    for (std::size_t i = 0; i < count; ++i) positions.push_back(static_cast<std::uint32_t>(i));
    std::vector<KvCache*> of_metal(count, &caches.metal), of_reference(count, &caches.reference);
    caches.metal.reserve(count, *metal_);
    caches.reference.reserve(count);
    const Tensor<float, Tokens, KvHeads, HeadDim>::Extents extents{count, shape.kv_heads, shape.head_dim};
    metal_->do_store_kv({positions, of_metal}, layer, {lent_k.data(), extents}, {lent_v.data(), extents});
    reference_.do_store_kv({positions, of_reference}, layer, {k.data(), extents}, {v.data(), extents});
    metal_->finish();
  }
};

TEST_P(MetalAttention, StoresTheSameBytes) {
  for (const Shape& shape : {Shape{4, 2, 12}, Shape{4, 1, 64}, Shape{2, 2, 80}}) {
    const KvShape kv{2, shape.kv_heads, shape.head_dim, GetParam()};
    Pair caches{KvCache(kv), KvCache(kv)};
    store(caches, shape, 70, 1);
    for (std::size_t block = 0; block < 2; ++block) {
      for (std::size_t head = 0; head < shape.kv_heads; ++head) {
        const std::size_t bytes = kKvBlock * kv.bytes_per_head();
        const auto same = [&](const std::byte* a, const std::byte* b) { return std::equal(a, a + bytes, b); };
        EXPECT_TRUE(same(caches.metal.key_block(1, block, head), caches.reference.key_block(1, block, head)));
        EXPECT_TRUE(same(caches.metal.value_block(1, block, head), caches.reference.value_block(1, block, head)));
      }
    }
  }
}

TEST_P(MetalAttention, IsTheReferences) {
  for (const Shape& shape : {Shape{4, 2, 12}, Shape{6, 2, 16}, Shape{8, 1, 64}, Shape{2, 2, 80}}) {
    const KvShape kv{2, shape.kv_heads, shape.head_dim, GetParam()};
    Pair first{KvCache(kv), KvCache(kv)}, second{KvCache(kv), KvCache(kv)};
    store(first, shape, 200, 1);
    store(second, shape, 30, 1);
    // Rows of two sequences: a prefill that ends one, one token of the other.
    std::vector<std::uint32_t> positions;
    std::vector<KvCache*> of_metal, of_reference;
    for (std::uint32_t p = 180; p < 200; ++p) {
      positions.push_back(p);
      of_metal.push_back(&first.metal);
      of_reference.push_back(&first.reference);
    }
    positions.push_back(29);
    of_metal.push_back(&second.metal);
    of_reference.push_back(&second.reference);
    const Tensor<float, Tokens, Heads, HeadDim>::Extents extents{positions.size(), shape.heads, shape.head_dim};
    const std::vector<float> q = some(positions.size() * shape.heads * shape.head_dim);
    for (const std::size_t window : {0u, 10u, 70u}) {
      const AttentionSettings settings{.scale = 0.3f, .window_tokens = window};
      const Buffer<float> lent_q = lent(q), out = lent(std::vector<float>(q.size()));
      std::vector<float> expected(q.size());
      metal_->do_attention({out.data(), extents}, {lent_q.data(), extents}, {positions, of_metal}, 1, settings);
      reference_.do_attention({expected.data(), extents}, {q.data(), extents}, {positions, of_reference}, 1, settings);
      metal_->finish();
      expect_near(values_of(out), expected, 1e-6,
                  "head_dim " + std::to_string(shape.head_dim) + ", window " + std::to_string(window));
    }
  }
}

// A row alone, split over blocks; among many, in tiles that go through them: the same bits.
TEST_P(MetalAttention, GivesATokenTheSameBitsInAnyCompany) {
  const Shape shape{6, 2, 24};
  const KvShape kv{1, shape.kv_heads, shape.head_dim, GetParam()};
  Pair caches{KvCache(kv), KvCache(kv)};
  store(caches, shape, 300, 0);
  const std::size_t row = shape.heads * shape.head_dim, count = 250;
  const Buffer<float> q = lent(some(count * row)), all = lent(std::vector<float>(count * row));
  std::vector<std::uint32_t> positions;
  for (std::uint32_t p = 50; p < 300; ++p) positions.push_back(p);
  const std::vector<KvCache*> rows(count, &caches.metal);
  for (const std::size_t window : {0u, 90u}) {
    const AttentionSettings settings{.scale = 0.3f, .window_tokens = window};
    metal_->do_attention({all.data(), {count, shape.heads, shape.head_dim}},
                         {q.data(), {count, shape.heads, shape.head_dim}}, {positions, rows}, 0, settings);
    metal_->finish();
    for (const std::size_t t : {0u, 13u, 14u, 200u, 249u}) {
      const Buffer<float> one = lent(std::vector<float>(row));
      metal_->do_attention({one.data(), {1, shape.heads, shape.head_dim}},
                           {q.data() + t * row, {1, shape.heads, shape.head_dim}},
                           {std::span(positions).subspan(t, 1), std::span(rows).subspan(t, 1)}, 0, settings);
      metal_->finish();
      EXPECT_EQ(values_of(one), std::vector<float>(all.data() + t * row, all.data() + (t + 1) * row)) << t;
    }
  }
}

INSTANTIATE_TEST_SUITE_P(Caches, MetalAttention, testing::Values(DType::f32, DType::f16, DType::q8_0),
                         [](const auto& type) { return std::string(rung::info(type.param).name); });

}  // namespace
}  // namespace rung
