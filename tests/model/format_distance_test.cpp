// How far the fast backend is from the reference in each weight format: a small model whose matrices are random bits of
// that format.
//
// The logits have a standard deviation of 3, like those of real models. The divergence grows with the square of what is
// wrong with them, so a scale, a min or an offset that is only a little off shows. A format whose weights are taken as
// 32- or 16-bit floats is rounded in its cache alone.
#include <gtest/gtest.h>

#include <cmath>
#include <cstring>
#include <list>
#include <memory>
#include <random>

#include "engine/device.h"
#include "kernels/kernels.h"
#include "kernels/panels.h"
#include "measure/divergence.h"
#include "tensor/blocks.h"
#include "tensor/scale_offsets.h"

namespace rung {
namespace {

constexpr std::size_t kHidden = 256, kHeads = 4, kKvHeads = 2, kHeadDim = 64, kIntermediate = 512, kVocab = 256,
                      kLayers = 2;
constexpr std::size_t kContext = 128;

class RandomModel {
 public:
  explicit RandomModel(DType type) : type_(type) {
    ModelConfig& c = model.config;
    c = {.family = "random",
         .vocab_size = kVocab,
         .hidden_size = kHidden,
         .heads = kHeads,
         .kv_heads = kKvHeads,
         .head_dim = kHeadDim,
         .context = kContext,
         .norm_epsilon = 1e-6f,
         .mlp = {.intermediate_size = kIntermediate},
         .ropes = {SessionRope{}},
         .rope_names = {},
         .layers = {}};
    for (std::size_t i = 0; i < kHeadDim / 2; ++i) {
      c.ropes[0].usual.inverse_frequencies.push_back(
          std::pow(1e4f, -static_cast<float>(2 * i) / static_cast<float>(kHeadDim)));
    }
    c.layers.resize(kLayers, LayerConfig{.attention = {.scale = 1 / std::sqrt(static_cast<float>(kHeadDim))}});
    model.panels = std::make_unique<PanelStore>();
    model.embedding = weight<Vocab, Hidden>(kVocab, kHidden);
    model.head = weight<Vocab, Hidden>(kVocab, kHidden);
    model.final_norm = norm(3);
    for (std::size_t i = 0; i < kLayers; ++i) {
      DecoderLayer layer;
      layer.attention_norm = norm(1);
      layer.mlp_norm = norm(1);
      layer.q = weight<QueryDim, Hidden>(kHeads * kHeadDim, kHidden);
      layer.k = weight<KvDim, Hidden>(kKvHeads * kHeadDim, kHidden);
      layer.v = weight<KvDim, Hidden>(kKvHeads * kHeadDim, kHidden);
      layer.o = weight<Hidden, QueryDim>(kHidden, kHeads * kHeadDim);
      layer.mlp = {c.mlp, weight<Intermediate, Hidden>(kIntermediate, kHidden),
                   weight<Intermediate, Hidden>(kIntermediate, kHidden),
                   weight<Hidden, Intermediate>(kHidden, kIntermediate)};
      model.layers.push_back(std::move(layer));
    }
  }

  Model model;

 private:
  static Norm norm(float weight) { return {"norm", std::vector<float>(kHidden, weight), 1e-6f}; }

  // Rows of random bits, whose values have the variance 1 / columns: what goes in with a variance of 1 comes out with
  // it.
  template <class Out, class In>
  Weight<Out, In> weight(std::size_t rows, std::size_t columns) {
    const std::mt19937 before = random_;
    float scale = 0.02f;
    std::vector<std::byte>& bytes = matrices_.emplace_back(some_rows(rows, columns, scale));
    std::vector<float> row(columns);
    double squares = 0;
    for (std::size_t r = 0; r < rows; ++r) {
      decode_row(row, type_, &bytes[r * row_bytes(type_, columns)]);
      for (const float x : row) squares += static_cast<double>(x) * static_cast<double>(x);
    }
    scale /= static_cast<float>(std::sqrt(squares / static_cast<double>(rows)));
    random_ = before;
    bytes = some_rows(rows, columns, scale);
    Weight<Out, In> w;
    w.matrix.name = "random";
    w.matrix.dtype = type_;
    w.matrix.rows = rows;
    w.matrix.columns = columns;
    w.matrix.data = bytes.data();
    w.matrix.panels = model.panels.get();
    w.matrix.id = model.panels->add();
    return w;
  }

  float uniform(float size) { return size * (static_cast<float>(random_() % 65536) / 32768.0f - 1.0f); }

  std::vector<std::byte> some_rows(std::size_t rows, std::size_t columns, float scale) {
    std::vector<std::byte> bytes(rows * row_bytes(type_, columns));
    if (!is_quantised(type_)) {
      for (std::size_t i = 0; i < rows * columns; ++i) {
        const float x = uniform(scale);
        const std::uint16_t half = type_ == DType::f16 ? to_f16(x).bits : to_bf16(x).bits;
        type_ == DType::f32 ? std::memcpy(&bytes[4 * i], &x, 4) : std::memcpy(&bytes[2 * i], &half, 2);
      }
      return bytes;
    }
    for (std::byte& b : bytes) b = static_cast<std::byte>(random_());
    for (std::size_t at = 0; at < bytes.size(); at += info(type_).bytes_per_block) {
      set_scales(&bytes[at], type_, [&] { return uniform(scale); });
    }
    return bytes;
  }

  DType type_;
  std::mt19937 random_{7};
  std::list<std::vector<std::byte>> matrices_;
};

struct Bound {
  DType type;
  double mean_divergence;  // twice what the AVX2 kernels give
};

class FormatDistance : public testing::TestWithParam<Bound> {};

TEST_P(FormatDistance, IsSmall) {
  const RandomModel random(GetParam().type);
  std::mt19937 draw(3);
  WindowedText text;
  for (std::size_t i = 0; i < 2 * kContext; ++i) text.ids.push_back(static_cast<TokenId>(draw() % kVocab));
  text.windows = {{0, kContext, 1}, {kContext, 2 * kContext, kContext + 1}};
  Device reference("reference", 2), cpu("cpu", 2);
  const std::vector<Contestant> contestants{{random.model, reference}, {random.model, cpu}};
  const Distance d = compare(contestants, text).distances[0];
  RecordProperty("mean_divergence", std::to_string(d.mean_divergence().value));
  const bool rounds_to_bf16 = GetParam().type == DType::bf16 && chosen_kernels().round_to_bf16 != nullptr;
  const double bound = rounds_to_bf16 ? 3e-4 : GetParam().mean_divergence;
  EXPECT_LT(d.mean_divergence().value, bound);
  EXPECT_LT(d.percentile(0.99), 10 * bound);
  EXPECT_GT(d.same_first().value, 0.9);
  EXPECT_GT(d.largest(), 0);  // these are two backends
}

constexpr Bound kBounds[] = {
    {DType::f32, 3e-6},       {DType::f16, 3e-6},      {DType::bf16, 3e-6},     {DType::q4_0, 0.0030},
    {DType::q4_1, 0.0009},    {DType::q5_0, 0.0030},   {DType::q5_1, 0.0008},   {DType::q8_0, 0.0031},
    {DType::q2_k, 0.0013},    {DType::q3_k, 0.0064},   {DType::q4_k, 0.0014},   {DType::q5_k, 0.0009},
    {DType::q6_k, 0.0057},    {DType::iq4_nl, 0.0024}, {DType::iq4_xs, 0.0046}, {DType::iq3_s, 0.0063},
    {DType::iq3_xxs, 0.0050}, {DType::iq2_s, 0.0062},  {DType::iq2_xs, 0.0061}, {DType::iq2_xxs, 0.0068},
    {DType::iq1_s, 0.0044},   {DType::iq1_m, 0.0055},  {DType::tq1_0, 0.0035},  {DType::tq2_0, 0.0014},
    {DType::mxfp4, 0.0026},
};
static_assert(std::size(kBounds) == kDTypes.size());

INSTANTIATE_TEST_SUITE_P(, FormatDistance, testing::ValuesIn(kBounds), [](const testing::TestParamInfo<Bound>& bound) {
  return std::string(rung::info(bound.param.type).name);
});

}  // namespace
}  // namespace rung
