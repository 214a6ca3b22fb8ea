// A single token has a kernel's other way, the diagonal (src/kernels/metal/runs.metal): with the bits of the way that
// several take.
#include "metal/verbs_for_tests.h"

namespace rung {
namespace {

class MetalSingleToken : public MetalVerbs {
 protected:
  void TearDown() override {
    MetalVerbs::TearDown();
    fake_metal::settings() = {};
  }
  using Result = std::vector<float>;

  Buffer<float> out_of(std::size_t count) { return lent(Result(count, -1.0f)); }
  static ConstMatrix first(const Buffer<float>& x, std::size_t tokens, std::size_t columns) {
    return {x.data(), {tokens, columns}};
  }
  Result product(const Buffer<float>& x, std::size_t tokens, const PackedMatrix& w) {
    const Buffer<float> out = out_of(tokens * w.rows);
    metal_->do_linear({out.data(), {tokens, w.rows}}, first(x, tokens, w.columns), w);
    metal_->finish();
    return values_of(out);
  }
  // Its first token alone has what it has as the first of two, and of nine.
  void expect_same_bits(const PackedMatrix& w) {
    const Buffer<float> x = lent(some(9 * w.columns));
    const Result alone = product(x, 1, w);
    for (const std::size_t tokens : {2u, 9u}) {
      const Result all = product(x, tokens, w);
      EXPECT_EQ(alone, Result(all.begin(), all.begin() + static_cast<std::ptrdiff_t>(w.rows)))
          << info(w.dtype).name << ", " << w.rows << " of " << w.columns << ", of " << tokens;
    }
  }
};

// Rows that end inside a tile; columns: less than eight units, a unit more than what is taken at once, ends inside a
// unit, inside a SIMD group's eight.
TEST_F(MetalSingleToken, HasTheBitsOfCompanyInEveryFormatAndShape) {
  for (const DTypeInfo& type : kDTypes) {
    const std::size_t block = type.values_per_block;
    const std::vector<std::size_t> widths = block == 1    ? std::vector<std::size_t>{8, 31, 68, 256, 1061}
                                            : block == 32 ? std::vector<std::size_t>{32, 288, 576, 1056, 2080}
                                                          : std::vector<std::size_t>{256, 768, 1280, 2304};
    for (const std::size_t columns : widths) {
      for (const std::size_t rows : {1u, 19u, 32u}) expect_same_bits(AnyMatrix(type.type, rows, columns, random_).w);
    }
  }
}

TEST_F(MetalSingleToken, HasThemWithABiasAndRowsInAnotherOrder) {
  for (const DType type : {DType::f16, DType::q8_0}) {
    AnyMatrix matrix(type, 24, 96, random_);
    matrix.w.bias = some(24);
    matrix.w.neighbours_head_dim = 12;
    expect_same_bits(matrix.w);
  }
}

// Of a plain type several values are read at once, where that is allowed: elsewhere the checked build finds it.
TEST_F(MetalSingleToken, HasThemWhereverItsMatrixLies) {
  fake_metal::settings().build = metal_emulator::Build::checked;
  metal_.emplace();
  for (const DType type : {DType::f32, DType::f16, DType::bf16}) {
    AnyMatrix matrix(type, 19, 264, random_);
    const Buffer<float> x = lent(some(matrix.w.columns));
    const Result expected = product(x, 1, matrix.w);
    for (const std::size_t shift : {2u, 4u, 8u, 16u}) {
      std::vector<std::byte> elsewhere(matrix.bytes.size() + shift);
      std::copy(matrix.bytes.begin(), matrix.bytes.end(), elsewhere.begin() + static_cast<std::ptrdiff_t>(shift));
      PackedMatrix moved = matrix.w;
      moved.data = elsewhere.data() + shift;
      moved.id = matrix.panels.add();
      EXPECT_EQ(product(x, 1, moved), expected) << info(type).name << ", " << shift;
    }
  }
}

// Of one token and of two the norm is inside; of nine it is not.
TEST_F(MetalSingleToken, HasThemWithANormBeforeInTwoFormatsAndAfterwardsASum) {
  const std::size_t columns = 1280;
  const Norm norm{"n", some(columns), 1e-5f};
  const AnyMatrix q(DType::q4_k, 40, columns, random_), k(DType::q4_k, 17, columns, random_),
      v(DType::q6_k, 8, columns, random_);
  const Buffer<float> x = lent(some(9 * columns));
  const auto results = [&](std::size_t tokens) {
    const Buffer<float> normed = out_of(tokens * columns), of_q = out_of(tokens * 40), of_k = out_of(tokens * 17),
                        of_v = out_of(tokens * 8), sum = lent(Result(tokens * 40, 0.5f));
    metal_->do_rms_norm({normed.data(), {tokens, columns}}, first(x, tokens, columns), norm);
    const LinearTask tasks[] = {
        {{of_q.data(), {tokens, 40}}, &q.w}, {{of_k.data(), {tokens, 17}}, &k.w}, {{of_v.data(), {tokens, 8}}, &v.w}};
    metal_->do_linear_each(tasks, first(normed, tokens, columns));
    const Buffer<float> branch = out_of(tokens * 40);
    metal_->do_linear({branch.data(), {tokens, 40}}, first(normed, tokens, columns), q.w);
    metal_->do_add({sum.data(), {tokens, 40}}, first(branch, tokens, 40));
    metal_->finish();
    Result all;
    for (const auto& [buffer, rows] : {std::pair(&of_q, 40), {&of_k, 17}, {&of_v, 8}, {&sum, 40}}) {
      all.insert(all.end(), buffer->data(), buffer->data() + rows);
    }
    return all;
  };
  const Result alone = results(1);
  EXPECT_EQ(alone, results(2));
  EXPECT_EQ(alone, results(9));
}

TEST_F(MetalSingleToken, HasThemInGateAndUp) {
  for (const DType type : {DType::q4_0, DType::q4_k, DType::f16}) {
    const std::size_t columns = 768, rows = 27;
    const Norm norm{"n", some(columns), 1e-5f};
    const AnyMatrix gate(type, rows, columns, random_), up(type, rows, columns, random_);
    const Buffer<float> x = lent(some(9 * columns));
    const auto results = [&](std::size_t tokens) {
      const Buffer<float> normed = out_of(tokens * columns), of_gate = out_of(tokens * rows),
                          of_up = out_of(tokens * rows);
      const Tensor<float, Rows, Columns> to{of_gate.data(), {tokens, rows}};
      metal_->do_rms_norm({normed.data(), {tokens, columns}}, first(x, tokens, columns), norm);
      const LinearTask tasks[] = {{to, &gate.w}, {{of_up.data(), {tokens, rows}}, &up.w}};
      metal_->do_linear_each(tasks, first(normed, tokens, columns));
      metal_->do_gate(to, to, first(of_up, tokens, rows), Activation::silu);
      metal_->finish();
      Result all(of_gate.data(), of_gate.data() + rows);
      all.insert(all.end(), of_up.data(), of_up.data() + rows);
      return all;
    };
    const Result alone = results(1);
    EXPECT_EQ(alone, results(2)) << info(type).name;
    EXPECT_EQ(alone, results(9)) << info(type).name;
  }
}

}  // namespace
}  // namespace rung
