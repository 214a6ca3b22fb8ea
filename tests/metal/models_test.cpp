// Whole models on the GPU's backend: the host half as it is, kernels as they are, on the runtime of this folder.
#include <gtest/gtest.h>

#include <bit>
#include <map>

#include "engine/session.h"
#include "measure/metal_prediction.h"
#include "metal/fake/fake_metal.h"
#include "model/golden_model.h"
#include "ops/decorator.h"
#include "ops/metal/metal.h"
#include "model_path.h"

namespace rung {
namespace {

struct Opened {
  explicit Opened(const std::string& name)
      : files(model_path(name)), model(bind_weights(files.plan, files.tensors())) {}
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
  void TearDown() override {
    EXPECT_EQ(fake_metal::report().findings, std::vector<std::string>{});
    fake_metal::settings() = {};
  }
};
class MetalSession : public MetalModel {};

std::vector<float> logits_of(const Opened& opened, Ops& ops, std::size_t tokens) {
  Session session(opened.model, ops, {.cache_type = DType::f32});
  const auto logits = session.feed(opened.ids(tokens));
  return {logits.begin(), logits.end()};
}

// The contract of the reference backend (model/checkpoints.h).
TEST_P(MetalModel, IsWithinTheContract) {
  const Opened opened(GetParam());
  ThreadTeam team(1);
  ReferenceOps reference(team);
  MetalOps metal;
  for (const std::size_t tokens : {1u, 5u, 90u}) {
    const std::vector<float> expected = logits_of(opened, reference, tokens), actual = logits_of(opened, metal, tokens);
    EXPECT_LE(largest_difference(actual, expected), kLogitTolerance) << tokens << " tokens";
    EXPECT_LE(relative_distance(actual, expected), kRowTolerance) << tokens << " tokens";
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

// A thousand tokens, and the same again where the cache has its memory: nothing new is made, as many objects live as
// before, one command buffer a token, and of all messages together at most five a dispatch. What is looked at is the
// host: the kernels are not run.
TEST_P(MetalSession, TakesNoMemoryInAThousandTokens) {
  constexpr std::size_t kTokens = 1000;
  fake_metal::settings().runs_kernels = false;
  const GoldenFiles files(model_path(GetParam()));
  Model model = bind_weights(files.plan, files.tensors());
  model.config.context = 2 * kTokens;
  MetalOps metal;
  Session session(model, metal);
  const auto feed_all = [&] {
    const std::int32_t id = 7;
    for (std::size_t i = 0; i < kTokens; ++i) session.feed({&id, 1});
  };
  feed_all();
  const metal::Counts first = metal.counts();
  EXPECT_LT(first.buffers, 40u + 2 * std::bit_width(kTokens)) << "the cache doubles as it grows";
  session.rewind(0);

  const std::map<std::string, std::size_t> live = fake_metal::report().live;
  fake_metal::reset();
  feed_all();
  const metal::Counts second = metal.counts();
  EXPECT_EQ(fake_metal::report().live, live);
  EXPECT_EQ(second.buffers, first.buffers);
  EXPECT_EQ(second.buffer_bytes, first.buffer_bytes);
  EXPECT_EQ(second.wrapped_bytes + second.copied_bytes, first.wrapped_bytes + first.copied_bytes);
  EXPECT_EQ(fake_metal::report().command_buffers, kTokens);
  std::size_t messages = 0;
  for (const auto& [name, count] : fake_metal::report().calls) {
    EXPECT_FALSE(name.starts_with("new")) << name;
    messages += count;
  }
  EXPECT_LE(messages, 5 * (second.dispatches - first.dispatches));
  RecordProperty("messages", std::to_string(messages));
  RecordProperty("dispatches", std::to_string(second.dispatches - first.dispatches));
}

INSTANTIATE_TEST_SUITE_P(Families, MetalSession, testing::Values("llama", "gemma3"),
                         [](const auto& model) { return model.param; });
INSTANTIATE_TEST_SUITE_P(Families, MetalModel, testing::Values("llama", "qwen2", "qwen3", "gemma3", "pebble"),
                         [](const auto& model) { return model.param; });

}  // namespace
}  // namespace rung
