// Verbs that become one kernel leave in memory, bit for bit, what each by itself leaves there.
#include <functional>

#include "metal/verbs_for_tests.h"

namespace rung {
namespace {

using Buffers = std::vector<Buffer<float>>;
using Verbs = std::vector<std::function<void()>>;

class MetalJoins : public MetalVerbs {
 protected:
  // `verbs` on tensors with these values: together they are so many kernels; then one by one, each finished at once.
  void expect_joined(std::size_t kernels, const std::vector<std::vector<float>>& values,
                     const std::function<Verbs(const Buffers&)>& verbs, const std::string& what) {
    const Buffers joined = lent_all(values), alone = lent_all(values);
    const std::size_t before = metal_->counts().dispatches;
    for (const auto& verb : verbs(joined)) verb();
    metal_->finish();
    EXPECT_EQ(metal_->counts().dispatches - before, kernels) << what;
    for (const auto& verb : verbs(alone)) {
      verb();
      metal_->finish();
    }
    for (std::size_t i = 0; i < values.size(); ++i) {
      EXPECT_EQ(values_of(joined[i]), values_of(alone[i])) << what << ": tensor " << i;
    }
  }
  Buffers lent_all(const std::vector<std::vector<float>>& values) {
    Buffers buffers;
    for (const std::vector<float>& one : values) buffers.push_back(lent(one));
    return buffers;
  }
  static std::vector<float> untouched(std::size_t count) { return std::vector<float>(count, -7.0f); }
  static Matrix matrix(const Buffer<float>& buffer, std::size_t rows) {
    return {buffer.data(), {rows, buffer.size() / rows}};
  }
};

// x, normed, q, k, v
TEST_F(MetalJoins, ANormIntoQKAndV) {
  const std::size_t columns = 512;
  const Norm norm{"n", some(columns), 1e-5f};
  struct Formats {
    DType q, k, v;
    std::size_t kernels;
  };
  for (const Formats& formats : {Formats{DType::q4_k, DType::q4_k, DType::q6_k, 1},
                                 {DType::f16, DType::f16, DType::f16, 1},
                                 {DType::q8_0, DType::q4_0, DType::q8_0, 1},
                                 {DType::q4_k, DType::q5_k, DType::q6_k, 2}}) {
    AnyMatrix q(formats.q, 40, columns, random_), k(formats.k, 17, columns, random_), v(formats.v, 8, columns, random_);
    k.w.bias = some(17);
    for (const std::size_t tokens : {1u, 2u, 3u, 33u}) {
      const std::size_t norms = tokens <= gpu::kNormTokens ? 0 : 1;  // by itself: see kNormTokens
      const auto verbs = [&](const Buffers& b) {
        return Verbs{[&] { metal_->do_rms_norm(matrix(b[1], tokens), matrix(b[0], tokens), norm); },
                     [&] {
                       const LinearTask tasks[] = {
                           {matrix(b[2], tokens), &q.w}, {matrix(b[3], tokens), &k.w}, {matrix(b[4], tokens), &v.w}};
                       metal_->do_linear_each(tasks, matrix(b[1], tokens));
                     }};
      };
      expect_joined(formats.kernels + norms,
                    {some(tokens * columns), untouched(tokens * columns), untouched(tokens * 40),
                     untouched(tokens * 17), untouched(tokens * 8)},
                    verbs, std::string(info(formats.v).name) + ", tokens " + std::to_string(tokens));
    }
  }
}

// Rows that end inside a unit of 32; and of as many threads as there are.
TEST_F(MetalJoins, ANormOfAnyLengthIntoALinearLayer) {
  for (const std::size_t columns : {12u, 36u, 200u, 1500u}) {
    const Norm norm{"n", some(columns), 1e-5f};
    AnyMatrix w(DType::f32, 24, columns, random_);
    const auto verbs = [&](const Buffers& b) {
      return Verbs{[&] { metal_->do_rms_norm(matrix(b[1], 2), matrix(b[0], 2), norm); },
                   [&] { metal_->do_linear(matrix(b[2], 2), matrix(b[1], 2), w.w); }};
    };
    expect_joined(1, {some(2 * columns), untouched(2 * columns), untouched(2 * 24)}, verbs, std::to_string(columns));
  }
}

// What each threadgroup would do again is little beside the rows of a layer, and not beside those of a vocabulary.
TEST_F(MetalJoins, NoNormIntoAHeadOverAVocabulary) {
  const std::size_t vocabulary = gpu::kMostNormRows + 1;
  const Norm norm{"n", some(8), 1e-5f};
  AnyMatrix w(DType::f32, vocabulary, 8, random_);
  const auto verbs = [&](const Buffers& b) {
    return Verbs{[&] { metal_->do_rms_norm(matrix(b[1], 1), matrix(b[0], 1), norm); },
                 [&] { metal_->do_linear(matrix(b[2], 1), matrix(b[1], 1), w.w); }};
  };
  expect_joined(2, {some(8), untouched(8), untouched(vocabulary)}, verbs, "head");
}

// x, normed, gate, up
TEST_F(MetalJoins, ANormIntoGateAndUpWithTheirActivation) {
  const std::size_t columns = 512;
  const Norm norm{"n", some(columns), 1e-5f};
  AnyMatrix gate(DType::q4_k, 36, columns, random_), up(DType::q4_k, 36, columns, random_);
  AnyMatrix other_up(DType::q6_k, 36, columns, random_);
  for (const Activation activation : {Activation::silu, Activation::gelu_tanh}) {
    for (const std::size_t tokens : {1u, 2u, 9u}) {
      for (AnyMatrix* of_up : {&up, &other_up}) {
        const auto verbs = [&](const Buffers& b) {
          return Verbs{
              [&] { metal_->do_rms_norm(matrix(b[1], tokens), matrix(b[0], tokens), norm); },
              [&] {
                const LinearTask tasks[] = {{matrix(b[2], tokens), &gate.w}, {matrix(b[3], tokens), &of_up->w}};
                metal_->do_linear_each(tasks, matrix(b[1], tokens));
              },
              [&] { metal_->do_gate(matrix(b[2], tokens), matrix(b[2], tokens), matrix(b[3], tokens), activation); }};
        };
        const std::size_t kernels = (tokens <= gpu::kNormTokens ? 1 : 2) + (of_up == &up ? 0 : 1);
        expect_joined(
            kernels,
            {some(tokens * columns), untouched(tokens * columns), untouched(tokens * 36), untouched(tokens * 36)},
            verbs, "tokens " + std::to_string(tokens));
      }
    }
  }
}

// y, branch, x: branch = y·w, its norm where the family has one, x += branch
TEST_F(MetalJoins, AProductIntoTheResidualStream) {
  const Norm norm{"n", some(40), 1e-5f};
  AnyMatrix w(DType::q8_0, 40, 64, random_);
  for (const bool has_norm : {false, true}) {
    for (const std::size_t tokens : {1u, 9u}) {
      const auto verbs = [&](const Buffers& b) {
        Verbs all{[&] { metal_->do_linear(matrix(b[1], tokens), matrix(b[0], tokens), w.w); }};
        if (has_norm) all.push_back([&] { metal_->do_rms_norm(matrix(b[1], tokens), matrix(b[1], tokens), norm); });
        all.push_back([&] { metal_->do_add(matrix(b[2], tokens), matrix(b[1], tokens)); });
        return all;
      };
      expect_joined(has_norm ? 2 : 1, {some(tokens * 64), untouched(tokens * 40), some(tokens * 40)}, verbs,
                    "tokens " + std::to_string(tokens));
    }
  }
}

// x, normed, y: what one threadgroup would write while others still read it stays a kernel of its own.
TEST_F(MetalJoins, NothingIntoWhatItReads) {
  const Norm norm{"n", some(64), 1e-5f};
  AnyMatrix w(DType::q8_0, 64, 64, random_);
  const std::vector<std::vector<float>> values{some(64), untouched(64), untouched(64)};
  const auto product = [&](const Buffers& b, std::size_t out, std::size_t x) {
    return [&, out, x] { metal_->do_linear(matrix(b[out], 1), matrix(b[x], 1), w.w); };
  };
  const auto normed = [&](const Buffers& b, std::size_t out) {
    return [&, out] { metal_->do_rms_norm(matrix(b[out], 1), matrix(b[0], 1), norm); };
  };
  const auto sum = [&](const Buffers& b, std::size_t x, std::size_t y) {
    return [&, x, y] { metal_->do_add(matrix(b[x], 1), matrix(b[y], 1)); };
  };
  expect_joined(
      2, values, [&](const Buffers& b) { return Verbs{normed(b, 1), product(b, 2, 1), sum(b, 0, 2)}; },
      "a sum into the norm's x");
  expect_joined(
      2, values, [&](const Buffers& b) { return Verbs{normed(b, 1), product(b, 0, 1)}; },
      "a product into the norm's x");
  expect_joined(2, values, [&](const Buffers& b) { return Verbs{normed(b, 0), product(b, 2, 0)}; }, "a norm in place");
  expect_joined(
      2, values, [&](const Buffers& b) { return Verbs{product(b, 2, 0), sum(b, 0, 2)}; }, "a sum into the product's x");
  expect_joined(
      2, values, [&](const Buffers& b) { return Verbs{product(b, 2, 0), product(b, 2, 1)}; }, "a product over another");
}

// q, k, v: norms, rope, store_kv.
class MetalHeads : public MetalJoins, public testing::WithParamInterface<DType> {};

TEST_P(MetalHeads, AreOneKernel) {
  struct Shape {
    std::size_t heads, kv_heads, head_dim, tokens;
  };
  for (const Shape& shape : {Shape{4, 2, 12, 3}, Shape{3, 1, 64, 1}, Shape{2, 2, 80, 9}, Shape{2, 1, 256, 2}}) {
    const std::size_t q_count = shape.tokens * shape.heads * shape.head_dim;
    const std::size_t k_count = shape.tokens * shape.kv_heads * shape.head_dim;
    Rope rope;
    for (std::size_t i = 0; i < shape.head_dim / 2; ++i) {
      rope.inverse_frequencies.push_back(
          std::pow(100.0f, -static_cast<float>(2 * i) / static_cast<float>(shape.head_dim)));
    }
    const Norm q_norm{"q", some(shape.head_dim), 1e-5f}, k_norm{"k", some(shape.head_dim), 1e-3f};
    std::vector<std::uint32_t> positions;
    for (std::size_t t = 0; t < shape.tokens; ++t) positions.push_back(static_cast<std::uint32_t>(60 + t));
    for (const std::size_t norms : {0u, 1u, 2u, 3u}) {  // bit 0: of q, bit 1: of k
      const KvShape kv{2, shape.kv_heads, shape.head_dim, GetParam()};
      std::vector<KvCache> caches;
      const auto verbs = [&](const Buffers& b) {
        caches.emplace_back(kv).reserve(70, *metal_);
        const std::size_t mine = caches.size() - 1;
        const auto normed = [&](const Buffer<float>& x, const Norm& norm) {
          const Matrix heads(x.data(), {x.size() / shape.head_dim, shape.head_dim});
          metal_->do_rms_norm(heads, heads, norm);
        };
        const auto turned = [&](const Buffer<float>& x, std::size_t heads) {
          metal_->do_rope({x.data(), {shape.tokens, heads, shape.head_dim}}, positions, rope);
        };
        Verbs all;
        if (norms & 1) all.push_back([&, normed] { normed(b[0], q_norm); });
        if (norms & 2) all.push_back([&, normed] { normed(b[1], k_norm); });
        all.push_back([&, turned] { turned(b[0], shape.heads); });
        all.push_back([&, turned] { turned(b[1], shape.kv_heads); });
        all.push_back([&, mine] {
          const std::vector<KvCache*> rows(shape.tokens, &caches[mine]);
          const Tensor<const float, Tokens, KvHeads, HeadDim>::Extents extents{shape.tokens, shape.kv_heads,
                                                                               shape.head_dim};
          metal_->do_store_kv({positions, rows}, 1, {b[1].data(), extents}, {b[2].data(), extents});
        });
        return all;
      };
      const std::string what = "head_dim " + std::to_string(shape.head_dim) + ", norms " + std::to_string(norms);
      caches.reserve(2);
      expect_joined(1, {some(q_count), some(k_count), some(k_count)}, verbs, what);
      const std::size_t bytes = kKvBlock * kv.bytes_per_head();
      for (std::size_t head = 0; head < shape.kv_heads; ++head) {
        for (std::size_t block = 0; block < 2; ++block) {
          const auto same = [&](const std::byte* a, const std::byte* b) { return std::equal(a, a + bytes, b); };
          EXPECT_TRUE(same(caches[0].key_block(1, block, head), caches[1].key_block(1, block, head))) << what;
          EXPECT_TRUE(same(caches[0].value_block(1, block, head), caches[1].value_block(1, block, head))) << what;
        }
      }
    }
  }
}

INSTANTIATE_TEST_SUITE_P(Caches, MetalHeads, testing::Values(DType::f32, DType::f16, DType::q8_0),
                         [](const auto& type) { return std::string(rung::info(type.param).name); });

// ---- Work and memory, in pieces ----

// One command buffer is not to take seconds, and partial results not gigabytes: what is too much goes in pieces.
class AttentionInPieces : public MetalVerbs {
 protected:
  static constexpr std::size_t kHeads = 4, kKvHeads = 2, kHeadDim = 16, kPositions = 700, kStored = 20;
  static constexpr std::size_t kFew = 12, kMany = 260;  // tokens: three tiles; more than are split over their keys

  // The last `rows` positions of a sequence.
  std::vector<float> attended(std::size_t rows) {
    std::vector<std::uint32_t> positions;
    for (std::uint32_t p = 0; p < kPositions; ++p) positions.push_back(p);
    KvCache cache({1, kKvHeads, kHeadDim, DType::f16});
    cache.reserve(kPositions, *metal_);
    const std::vector<KvCache*> caches(kPositions, &cache);
    const Buffer<float> k = lent(keys_), v = lent(values_);
    for (std::size_t p = 0; p < kPositions; p += kStored) {
      const Tensor<const float, Tokens, KvHeads, HeadDim>::Extents extents{kStored, kKvHeads, kHeadDim};
      metal_->do_store_kv({std::span(positions).subspan(p, kStored), std::span(caches).subspan(p, kStored)}, 0,
                          {k.data(), extents}, {v.data(), extents});
      metal_->finish();
    }
    const Buffer<float> q =
        lent({queries_.end() - static_cast<std::ptrdiff_t>(rows * kHeads * kHeadDim), queries_.end()});
    const Buffer<float> out = lent(std::vector<float>(q.size()));
    const Tensor<float, Tokens, Heads, HeadDim>::Extents extents{rows, kHeads, kHeadDim};
    dispatches_ = metal_->counts().dispatches;
    command_buffers_ = metal_->counts().command_buffers;
    metal_->do_attention({out.data(), extents}, {q.data(), extents},
                         {std::span(positions).last(rows), std::span(caches).last(rows)}, 0, {.scale = 0.3f});
    metal_->finish();
    dispatches_ = metal_->counts().dispatches - dispatches_;
    command_buffers_ = metal_->counts().command_buffers - command_buffers_;
    return values_of(out);
  }

  const std::vector<float> keys_ = some(kStored * kKvHeads * kHeadDim), values_ = some(keys_.size());
  const std::vector<float> queries_ = some(kMany * kHeads * kHeadDim);
  std::size_t dispatches_ = 0, command_buffers_ = 0;  // of the last call
};

TEST_F(AttentionInPieces, OfWorkGivesTheSameBits) {
  const std::vector<float> few = attended(kFew);
  EXPECT_EQ(dispatches_, 2u) << "blocks, and their combination";
  const std::vector<float> many = attended(kMany);
  EXPECT_EQ(dispatches_, 1u);
  EXPECT_EQ(std::vector<float>(many.end() - static_cast<std::ptrdiff_t>(few.size()), many.end()), few);
  EXPECT_EQ(command_buffers_, 1u);

  metal_.emplace(std::size_t{1});  // a tile each
  EXPECT_EQ(attended(kFew), few);
  EXPECT_EQ(dispatches_, 2 * 3u);
  EXPECT_GE(command_buffers_, 3u);
  EXPECT_EQ(attended(kMany), many);
  EXPECT_EQ(dispatches_, kMany * kHeads / kKvHeads / gpu::kTile);
  EXPECT_EQ(command_buffers_, dispatches_);
}

// Room for one tile's partial results, or for two's; or for less: then a tile goes through its blocks alone.
TEST_F(AttentionInPieces, OfMemoryGivesTheSameBits) {
  const std::vector<float> expected = attended(kFew);
  const std::size_t of_a_tile = kKvHeads * 11 * gpu::kTile * (kHeadDim + 2) * sizeof(float);
  struct Case {
    std::size_t bytes, dispatches;
  };
  for (const Case& c : {Case{of_a_tile, 2 * 3}, Case{2 * of_a_tile, 2 * 2}, Case{of_a_tile - 1, 1}}) {
    metal_.emplace(metal::Gpu::kMostWork, c.bytes);
    EXPECT_EQ(attended(kFew), expected) << c.bytes;
    EXPECT_EQ(dispatches_, c.dispatches) << c.bytes;
  }
}

}  // namespace
}  // namespace rung
