// How far what the GPU's backend expects of a text is from what the reference does: no farther than the processor's, in
// every weight format and with every cache.
#include <gtest/gtest.h>

#include <cmath>
#include <deque>
#include <memory>
#include <random>

#include "metal/fake/fake_metal.h"
#include "metal/verbs_for_tests.h"
#include "model/cpu_distance.h"
#include "paths.h"
#include "tensor/blocks.h"

namespace rung {
namespace {

// Activations are not rounded here, so the processor's bounds for plain weights hold for all (tests/model/,
// CpuDistance): what the order of sums does, and what each type of cache does.
constexpr double kOfSums = 1e-5, kOfF16 = 1e-5, kOfQ8 = 2e-3;

std::vector<std::int32_t> some_ids(const Model& model, std::size_t count) {
  std::vector<std::int32_t> ids;
  for (std::size_t i = 0; i < count; ++i) {
    ids.push_back(static_cast<std::int32_t>(i * 7919 % model.config.vocab_size));
  }
  return ids;
}

void expect_small(const Model& model, std::span<const std::int32_t> ids, const std::string& what) {
  const std::vector<float> reference = all_logits(model, {"reference"}, ids);
  for (const auto& [cache, bound] : {std::pair{DType::f32, kOfSums}, std::pair{DType::f16, kOfSums + kOfF16},
                                     std::pair{DType::q8_0, kOfSums + kOfQ8}}) {
    const Distance d = distance(reference, all_logits(model, {"metal", cache}, ids), model.config.vocab_size);
    EXPECT_LT(d.mean_divergence, bound) << what << ", cache " << info(cache).name;
    EXPECT_GE(d.same_first, cache == DType::q8_0 ? 0.8 : 1.0) << what << ", cache " << info(cache).name;
    testing::Test::RecordProperty(what + "_" + std::string(info(cache).name), std::to_string(1e9 * d.mean_divergence));
  }
}

class MetalDistance : public testing::Test {
 protected:
  void SetUp() override { fake_metal::settings() = {}, fake_metal::reset(); }
};

TEST_F(MetalDistance, OfATinyModelIsSmall) {
  for (const std::string& name : golden_folders("models")) {
    const std::filesystem::path folder = golden_folder() / "models" / name;
    const bool is_gguf = std::filesystem::exists(folder / "model.gguf");
    const GoldenFiles files(is_gguf ? folder / "model.gguf" : folder);
    expect_small(bind_weights(files.plan, files.tensors()), Golden(folder).ids, name);
  }
}

// A tiny model whose rows are whole blocks of every format, all its matrices in one.
class ModelIn {
 public:
  explicit ModelIn(DType type) {
    ModelConfig& c = model.config;
    c.vocab_size = 96;
    c.hidden_size = c.mlp.intermediate_size = 256;
    c.heads = 4;
    c.kv_heads = 2;
    c.head_dim = 64;
    c.context = 128;
    SessionRope rope;
    for (std::size_t i = 0; i < c.head_dim / 2; ++i) {
      rope.usual.inverse_frequencies.push_back(std::pow(10000.0f, -2.0f * static_cast<float>(i) / 64.0f));
    }
    c.ropes.push_back(rope);
    c.layers.push_back({.attention = {.scale = 0.125f}});
    model.panels = std::make_unique<PanelStore>();
    DecoderLayer& layer = model.layers.emplace_back();
    const std::size_t queries = c.heads * c.head_dim, keys = c.kv_heads * c.head_dim;
    fill(model.embedding.matrix, type, c.vocab_size, c.hidden_size);
    // So that q, k, v and logits are numbers of about 1, as a trained model's are.
    const float weight = 1.0f / (16.0f * size_of(model.embedding.matrix));
    layer.attention_norm = layer.mlp_norm = model.final_norm = {"norm", std::vector<float>(256, weight), 1e-5f};
    fill(layer.q.matrix, type, queries, c.hidden_size);
    fill(layer.k.matrix, type, keys, c.hidden_size);
    fill(layer.v.matrix, type, keys, c.hidden_size);
    fill(layer.o.matrix, type, c.hidden_size, queries);
    layer.mlp.settings = c.mlp;
    fill(layer.mlp.gate.matrix, type, c.mlp.intermediate_size, c.hidden_size);
    fill(layer.mlp.up.matrix, type, c.mlp.intermediate_size, c.hidden_size);
    fill(layer.mlp.down.matrix, type, c.hidden_size, c.mlp.intermediate_size);
    fill(model.head.matrix, type, c.vocab_size, c.hidden_size);
  }

  Model model;

 private:
  void fill(PackedMatrix& w, DType type, std::size_t rows, std::size_t columns) {
    AnyMatrix made(type, rows, columns, random_);
    w = made.w;
    w.data = bytes_.emplace_back(std::move(made.bytes)).data();
    w.panels = model.panels.get();
    w.id = model.panels->add();
  }
  // The root of the mean square.
  static float size_of(const PackedMatrix& w) {
    std::vector<float> row(w.columns);
    float squares = 0;
    for (std::size_t r = 0; r < w.rows; ++r) {
      decode_row(row, w.dtype, w.row(r));
      for (const float x : row) squares += x * x;
    }
    return std::sqrt(squares / static_cast<float>(w.rows * w.columns));
  }
  std::mt19937 random_{1};
  std::deque<std::vector<std::byte>> bytes_;
};

TEST_F(MetalDistance, IsSmallInEveryFormat) {
  for (const DTypeInfo& type : kDTypes) {
    const ModelIn in(type.type);
    expect_small(in.model, some_ids(in.model, 24), std::string(type.name));
  }
}

}  // namespace
}  // namespace rung
