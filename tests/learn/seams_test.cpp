// The engine with somebody else's code in it.
#include <gtest/gtest.h>

#include <algorithm>
#include <optional>

#include "base/error.h"
#include "engine/rung.h"
#include "learn/check.h"
#include "learn/in_engine.h"
#include "learn/seams.h"

namespace rung::learn {
namespace {

std::string told_by_rung(std::string_view prompt, std::size_t tokens) {
  Engine engine(ModelFiles::pebble(), {.device = "reference", .threads = 1});
  return std::string(prompt) +
         engine.generate(prompt, {.max_tokens = tokens, .sampling = Sampling{.temperature = 0}}).text;
}

std::string told_with(Seams seams, std::string_view prompt = "Once upon a time", std::size_t tokens = 24) {
  return SeamedEngine(std::move(seams)).tell({.prompt = std::string(prompt), .tokens = tokens}).text;
}

TEST(SeamedEngine, WithoutSeamsTellsWhatRungTells) { EXPECT_EQ(told_with({}), told_by_rung("Once upon a time", 24)); }

TEST(SeamedEngine, MatricesInFloatsTellTheSame) {
  Seams seams;
  std::size_t matrices = 0;
  seams.load = [&](const LoadedModel&, const PackedMatrix&, std::span<float>) { ++matrices; };
  EXPECT_EQ(told_with(std::move(seams)), told_by_rung("Once upon a time", 24));
  EXPECT_EQ(matrices, 1u + 5 * 7);  // pebble has five layers, and its head is its embedding
}

TEST(SeamedEngine, WhatLoadChangesIsWhatRuns) {
  Seams seams;
  seams.load = [](const LoadedModel&, const PackedMatrix& matrix, std::span<float> values) {
    if (matrix.name.find("down_proj") != std::string::npos) std::fill(values.begin(), values.end(), 0.0f);
  };
  EXPECT_NE(told_with(std::move(seams)), told_by_rung("Once upon a time", 24));
}

TEST(SeamedEngine, EncodesChoosesAndDecodesThroughTheSeams) {
  Seams seams;
  seams.encode = [](const LoadedModel& model, std::string_view) { return model.tokenizer().encode("The"); };
  seams.choose = [](std::span<const float> logits, Random&) {
    return static_cast<TokenId>(std::max_element(logits.begin(), logits.end()) - logits.begin());
  };
  seams.decode = [](std::string&, std::string_view piece) { return "<" + std::string(piece) + ">"; };
  const std::string told = told_with(std::move(seams), "ignored", 3);
  EXPECT_EQ(told.substr(0, 6), "<The><");
  std::string plain;
  std::copy_if(told.begin(), told.end(), std::back_inserter(plain), [](char c) { return c != '<' && c != '>'; });
  EXPECT_EQ(plain, told_by_rung("The", 3));
}

TEST(SeamedEngine, ATextThatIsNoneIsRefusedBeforeItsOwnEncodeSeesIt) {
  Seams seams;
  bool asked = false;
  seams.encode = [&](const LoadedModel&, std::string_view) {
    asked = true;
    return std::vector<TokenId>();
  };
  EXPECT_THROW(SeamedEngine(std::move(seams)).encode("a\xff"), Error);
  EXPECT_FALSE(asked);
}

TEST(SeamedEngine, SaysWhyAnAnswerEnded) {
  SeamedEngine engine({}, nullptr, 1, 8);
  EXPECT_EQ(engine.tell({.prompt = "Once upon", .tokens = 2}).reason, StopReason::max_tokens);
  EXPECT_EQ(engine.tell({.prompt = "Once upon", .tokens = 0}).reason, StopReason::context_full);
  Seams seams;
  seams.stops = {"time"};
  EXPECT_EQ(SeamedEngine(std::move(seams)).tell({.prompt = "Once upon a"}).reason, StopReason::stop_string);
}

// A page ends what gives no sign for five seconds; no step of the engine's takes as long.
TEST(SeamedEngine, GivesASignAtEachStep) {
  static int steps;
  on_step = [] { ++steps; };
  const auto steps_of = [](const auto& work) {
    const int before = steps;
    work();
    return steps - before;
  };
  Seams seams;
  seams.load = [](const LoadedModel&, const PackedMatrix&, std::span<float>) {};
  std::optional<SeamedEngine> engine;
  EXPECT_GE(steps_of([&] { engine.emplace(std::move(seams)); }), 1 + 5 * 7) << "matrices";
  EXPECT_GE(steps_of([&] { engine->trace(std::vector<TokenId>{1, 2, 3, 4, 5}, [](auto&&...) {}); }), 4) << "passes";
  EXPECT_GE(steps_of([&] { engine->tell({.prompt = "Once", .tokens = 10}); }), 9) << "tokens";
  on_step = nullptr;
}

TEST(SeamedEngine, StopsWhereTheSeamSays) {
  Seams seams;
  seams.stop = [](std::string_view held, std::span<const std::string>) -> StopAnswer {
    const std::size_t dot = held.find('.');
    return dot == held.npos ? StopAnswer{held.size(), false} : StopAnswer{dot, true};
  };
  const std::string told = told_with(std::move(seams), "Once upon a time", 200);
  const std::string whole = told_by_rung("Once upon a time", 200);
  EXPECT_EQ(told, whole.substr(0, whole.find('.')));
}

TEST(SeamedEngine, KeepsOfTheCacheWhatTheSeamSays) {
  std::vector<std::pair<std::size_t, std::size_t>> asked;
  const auto tell_twice = [&](std::function<std::size_t(std::size_t common)> answer) {
    Seams seams;
    seams.reuse = [&, answer](std::span<const TokenId> have, std::span<const TokenId> wanted) {
      const auto differ = std::mismatch(have.begin(), have.end(), wanted.begin(), wanted.end());
      const auto common = static_cast<std::size_t>(differ.first - have.begin());
      asked.emplace_back(have.size(), common);
      return answer(common);
    };
    SeamedEngine engine(std::move(seams));
    engine.tell({.prompt = "Once upon a time", .tokens = 8});
    return engine.tell({.prompt = "Once there was a hill", .tokens = 24}).text;
  };
  EXPECT_EQ(tell_twice([](std::size_t common) { return common; }), told_by_rung("Once there was a hill", 24));
  EXPECT_EQ(tell_twice([](std::size_t) { return 0; }), told_by_rung("Once there was a hill", 24));
  EXPECT_NE(tell_twice([](std::size_t common) { return common + 1; }), told_by_rung("Once there was a hill", 24));
  EXPECT_EQ(asked[0].first, 0u);
  EXPECT_EQ(asked[1].second, 1u);
}

TEST(SeamedEngine, KeysAndValuesAreThoseThatWereStored) {
  KvCache cache({.layers = 1, .kv_heads = 2, .head_dim = 2});
  cache.reserve(70);
  for (std::size_t p = 0; p < 70; ++p) {
    const auto at = static_cast<float>(p);
    const float key[] = {at, at + 0.25f, -at, -at - 0.25f}, value[] = {2 * at, 3 * at, 4 * at, 5 * at};
    cache.store(0, p, {key, {2, 2}}, {value, {2, 2}});
  }
  const std::vector<float> keys = keys_of(cache, 0, 1, 70), values = values_of(cache, 0, 1, 70);
  ASSERT_EQ(keys.size(), 140u);
  EXPECT_EQ(keys[2 * 69], -69);
  EXPECT_EQ(keys[2 * 69 + 1], -69.25f);
  EXPECT_EQ(values[2 * 65], 4 * 65);
}

void forgets_the_mean(std::span<float> out, std::span<const float> x, std::span<const float> weight, float epsilon) {
  float sum = 0;
  for (const float value : x) sum += value * value;
  for (std::size_t i = 0; i < x.size(); ++i) out[i] = x[i] / std::sqrt(sum + epsilon) * weight[i];
}

TEST(InEngine, TheFirstWrongNumberIsFoundWhereItComesAbout) {
  const Exercise& exercise = *find_exercise("m2-rms-norm");
  const Check check = check_pebble(exercise, function<forgets_the_mean>);
  EXPECT_EQ(check.state, CheckState::failed);
  EXPECT_EQ(check.title, "first wrong in pebble: layer.0.attention_norm, at token 0 of 0 to 16, \"Once\"");
  ASSERT_TRUE(check.where);
  EXPECT_EQ(check.where->checkpoint, "layer.0.attention_norm");
  EXPECT_EQ(check.where->layer, 0);
  ASSERT_FALSE(check.causes.empty());
  EXPECT_EQ(check.causes[0].id, "rms-norm-sum");
}

TEST(InEngine, AWrongFunctionTellsAnotherStory) {
  const Check check = check_story(*find_exercise("m2-rms-norm"), function<forgets_the_mean>);
  EXPECT_EQ(check.state, CheckState::failed);
  EXPECT_EQ(check.reference_story, told_by_rung("Once upon a time", 40));
  EXPECT_NE(check.story, check.reference_story);
  ASSERT_FALSE(check.causes.empty());
  EXPECT_EQ(check.causes[0].id, "rms-norm-sum");
}

TEST(InEngine, TheSpeedIsToldBesideTheRivals) {
  const Exercise& exercise = *find_exercise("m2-rms-norm");
  const Check check = check_speed(exercise, exercise.reference.call);
  EXPECT_EQ(check.state, CheckState::passed);
  EXPECT_EQ(check.title.rfind("yours: ", 0), 0U) << check.title;
  EXPECT_NE(check.title.find("operations a second; Rung's"), std::string::npos) << check.title;
  EXPECT_EQ(check.title.find("times as fast"), std::string::npos) << check.title;
}

}  // namespace
}  // namespace rung::learn
