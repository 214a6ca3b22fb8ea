// Whole models on the GPU's backend: the host half as it is, kernels as they are, on the runtime of this folder.
#include <gtest/gtest.h>

#include <cmath>

#include "engine/session.h"
#include "measure/metal_prediction.h"
#include "metal/fake/fake_metal.h"
#include "model/golden_model.h"
#include "ops/decorator.h"
#include "ops/metal/metal.h"
#include "paths.h"

namespace rung {
namespace {

struct Opened {
  explicit Opened(const std::string& name)
      : files(name == "pebble" ? source_folder() / "models" / name : path_of(name)),
        model(bind_weights(files.plan, files.tensors())) {}
  static std::filesystem::path path_of(const std::string& name) {
    const std::filesystem::path folder = golden_folder() / "models" / name;
    return std::filesystem::exists(folder / "model.gguf") ? folder / "model.gguf" : folder;
  }
  std::vector<std::int32_t> ids(std::size_t count) const {
    std::vector<std::int32_t> ids;
    for (std::size_t i = 0; i < count; ++i)
      ids.push_back(static_cast<std::int32_t>(i * 7919 % model.config.vocab_size));
    return ids;
  }
  const GoldenFiles files;
  const Model model;
};

class MetalModel : public testing::TestWithParam<std::string> {
 protected:
  void SetUp() override { fake_metal::reset(); }
  void TearDown() override { EXPECT_EQ(fake_metal::report().findings, std::vector<std::string>{}); }
};
class MetalSession : public MetalModel {};

std::vector<float> logits_of(const Opened& opened, Ops& ops, std::size_t tokens) {
  Session session(opened.model, ops, {.cache_type = DType::f32});
  const auto logits = session.feed(opened.ids(tokens));
  return {logits.begin(), logits.end()};
}

// The contract of the reference backend (design.md): rows within 1e-4, every logit within 1e-3.
TEST_P(MetalModel, IsWithinTheContract) {
  const Opened opened(GetParam());
  ThreadTeam team(1);
  ReferenceOps reference(team);
  MetalOps metal;
  for (const std::size_t tokens : {1u, 5u, 90u}) {
    const std::vector<float> expected = logits_of(opened, reference, tokens), actual = logits_of(opened, metal, tokens);
    double distance = 0, norm = 0;
    for (std::size_t i = 0; i < expected.size(); ++i) {
      const double e = static_cast<double>(expected[i]), d = static_cast<double>(actual[i]) - e;
      EXPECT_LE(std::abs(d), 1e-3);
      distance += d * d;
      norm += e * e;
    }
    EXPECT_LE(std::sqrt(distance), 1e-4 * std::sqrt(norm)) << tokens << " tokens";
  }
}

// Checkpoint by checkpoint against what the official implementation computes.
TEST_P(MetalModel, IsWithinTheContractOfTheOfficialImplementation) {
  if (GetParam() == "pebble") return;
  const Opened opened(GetParam());
  MetalOps metal;
  const Golden golden(golden_folder() / "models" / GetParam());
  for (const std::size_t chunk : {0u, 3u}) {
    const std::optional<Difference> difference = run_and_compare(opened.model, metal, golden, chunk);
    EXPECT_FALSE(difference.has_value()) << chunk;
  }
}

// Under a decorator that looks at values nothing is joined (joins_test.cpp: what is, each by itself).
TEST_P(MetalModel, JoinedVerbsGiveTheBitsOfTheVerbsOneByOne) {
  const Opened opened(GetParam());
  MetalOps joined, alone;
  AtOnceOps one_by_one(alone);
  for (const std::size_t tokens : {1u, 2u, 3u, 40u}) {
    EXPECT_EQ(logits_of(opened, joined, tokens), logits_of(opened, one_by_one, tokens)) << tokens << " tokens";
  }
  EXPECT_LT(joined.counts().dispatches, alone.counts().dispatches);
}

// What a token costs: at most 7 kernels a layer and 4 for all together, and 2 more where both branches end in a norm.
// `rung bench --predict` counts with the same number.
TEST_P(MetalModel, DispatchesSoManyKernelsAToken) {
  const Opened opened(GetParam());
  MetalOps metal;
  Session session(opened.model, metal);
  session.feed(opened.ids(70));
  const std::size_t before = metal.counts().dispatches;
  session.feed(opened.ids(1));
  const std::size_t dispatches = metal.counts().dispatches - before;
  std::size_t bound = 4;
  for (const DecoderLayer& layer : opened.model.layers) {
    bound += 7 + (layer.attention_post_norm ? 1u : 0u) + (layer.mlp_post_norm ? 1u : 0u);
  }
  EXPECT_EQ(dispatches, metal_dispatches(opened.model, 70));
  EXPECT_LE(dispatches, bound);
}

// A prompt that is much work goes to the GPU in several command buffers, which changes no bit.
TEST_P(MetalModel, CommitsALongPromptInPieces) {
  const Opened opened(GetParam());
  MetalOps whole, pieces(std::size_t{1} << 18);
  EXPECT_EQ(logits_of(opened, pieces, 90), logits_of(opened, whole, 90));
  EXPECT_EQ(whole.counts().command_buffers, 1u);
  EXPECT_GT(pieces.counts().command_buffers, opened.model.layers.size());
}

// After the first tokens nothing new is made: when the next block of the cache is full there are as many objects as
// before.
TEST_P(MetalSession, TakesNoMemoryInTheDecodeLoop) {
  const Opened opened(GetParam());
  MetalOps metal;
  Session session(opened.model, metal);
  const std::int32_t id = 7;
  for (std::size_t i = 0; i < kKvBlock + 1; ++i) session.feed({&id, 1});
  const metal::Counts before = metal.counts();
  for (std::size_t i = 0; i < kKvBlock - 1; ++i) session.feed({&id, 1});
  const metal::Counts after = metal.counts();
  EXPECT_EQ(after.buffers, before.buffers);
  EXPECT_EQ(after.buffer_bytes, before.buffer_bytes);
  EXPECT_EQ(after.wrapped_bytes + after.copied_bytes, before.wrapped_bytes + before.copied_bytes);
  EXPECT_EQ(after.command_buffers - before.command_buffers, kKvBlock - 1) << "one a token";
}

INSTANTIATE_TEST_SUITE_P(Families, MetalSession, testing::Values("llama", "gemma3"),
                         [](const auto& model) { return model.param; });
INSTANTIATE_TEST_SUITE_P(Families, MetalModel, testing::Values("llama", "qwen2", "qwen3", "gemma3", "pebble"),
                         [](const auto& model) { return model.param; });

}  // namespace
}  // namespace rung
