// config.json as people, exporters and enemies write it.
#include <gtest/gtest.h>

#include <string>

#include "base/error.h"
#include "model/families/families.h"
#include "model/settings.h"

namespace rung {
namespace {

Json llama_config() {
  return Json::parse(
      R"({"model_type": "llama", "vocab_size": 100, "hidden_size": 64, "intermediate_size": 96, "num_hidden_layers": 2,
    "num_attention_heads": 4, "num_key_value_heads": 2, "max_position_embeddings": 128, "rms_norm_eps": 1e-5,
    "rope_theta": 10000.0})");
}

std::string complaint(const Json& config) {
  try {
    plan_from_config(config, "config.json");
  } catch (const Error& e) {
    return e.what();
  }
  return "";
}

std::string complaint_with(const char* key, const Json& value) {
  Json config = llama_config();
  config[key] = value;
  return complaint(config);
}

TEST(Config, IsReadAsTheFamilyMeansIt) {
  const ModelPlan plan = plan_from_config(llama_config(), "config.json");
  EXPECT_EQ(plan.config.family, "llama");
  EXPECT_EQ(plan.config.head_dim, 16u);
  EXPECT_EQ(plan.config.layers.size(), 2u);
  EXPECT_FLOAT_EQ(plan.config.layers[0].attention.scale, 0.25f);
}

TEST(Config, NumbersThatCannotBeAreErrorsThatNameTheKey) {
  for (const char* key : {"vocab_size", "hidden_size", "intermediate_size", "num_hidden_layers", "num_attention_heads",
                          "num_key_value_heads", "max_position_embeddings", "head_dim"}) {
    for (const Json& value : {Json(0), Json(-1), Json(1.5), Json(1e300), Json(std::uint64_t{1} << 63), Json("64"),
                              Json(true), Json::array({64})}) {
      EXPECT_NE(complaint_with(key, value).find(key), std::string::npos) << key << " = " << value;
    }
  }
  for (const char* key : {"rms_norm_eps", "rope_theta"}) {
    for (const Json& value : {Json(0), Json(-1), Json(1e300), Json("1e-5")}) {
      EXPECT_NE(complaint_with(key, value).find(key), std::string::npos) << key << " = " << value;
    }
  }
}

TEST(Config, SizesThatContradictEachOtherAreErrors) {
  EXPECT_NE(complaint_with("num_key_value_heads", 3).find("evenly"), std::string::npos);
  EXPECT_NE(complaint_with("hidden_size", 66).find("head_dim"), std::string::npos);
  EXPECT_NE(complaint_with("head_dim", 15).find("even"), std::string::npos);
  EXPECT_NE(complaint_with("num_hidden_layers", 2000000000).find("num_hidden_layers"), std::string::npos)
      << "no absurd allocation";
  EXPECT_NE(complaint_with("head_dim", 2000000000).find("head_dim"), std::string::npos) << "nor here";
}

TEST(Config, AKeyThatChangesTheResultAndIsNotUnderstoodIsAnError) {
  EXPECT_NE(complaint_with("attn_logit_softcapping", 50.0).find("attn_logit_softcapping"), std::string::npos);
  EXPECT_NE(complaint_with("partial_rotary_factor", 0.5).find("partial_rotary_factor"), std::string::npos);
  EXPECT_NE(complaint_with("hidden_act", "relu").find("hidden_act"), std::string::npos);
  EXPECT_NE(complaint_with("quantization_config", {{"bits", 4}}).find("quantization_config"), std::string::npos);
  EXPECT_NE(complaint_with("auto_map", {{"AutoModel", "x.py"}}).find("auto_map"), std::string::npos);
  EXPECT_NE(complaint_with("num_local_experts", 8).find("num_local_experts"), std::string::npos);
  EXPECT_NE(complaint_with("layer_types", {"full_attention", "sliding_attention"}).find("layer_types"),
            std::string::npos);
}

TEST(Config, WhatMostFamiliesLackIsRefusedUnlessTheFamilyHasReadIt) {
  EXPECT_NE(complaint_with("num_experts", 8).find("'num_experts' is 8, expected 0"), std::string::npos);
  EXPECT_EQ(complaint_with("num_experts", 0), "");
  const Settings settings = Settings::from_json({{"num_experts", 8}}, "config.json");
  EXPECT_THROW(settings.require_unless_read("num_experts", 0, "not run"), Error);
  const Settings of_a_family_that_knows = Settings::from_json({{"num_experts", 8}}, "config.json");
  EXPECT_EQ(of_a_family_that_knows.size("num_experts"), 8u);
  EXPECT_NO_THROW(of_a_family_that_knows.require_unless_read("num_experts", 0, "not run"));
}

TEST(Config, AKeyThatSaysNothingIsNoError) {
  EXPECT_EQ(complaint_with("attn_logit_softcapping", nullptr), "");
  EXPECT_EQ(complaint_with("use_something_new", false), "");
  EXPECT_EQ(complaint_with("initializer_range", 0.02), "");
  EXPECT_EQ(complaint_with("pretraining_tp", 2), "") << "transformers reads it, and sums whole all the same";
  EXPECT_EQ(complaint_with("tokenizer_class", "LlamaTokenizer"), "");
  EXPECT_EQ(complaint_with("layer_types", {"full_attention", "full_attention"}), "");
  EXPECT_EQ(complaint_with("hidden_act", "swish"), "") << "silu by its other name";
  EXPECT_EQ(complaint_with("rope_scaling", Json::object()), "");
  for (const char* none : {"attn_logit_softcapping", "final_logit_softcapping", "num_experts", "num_local_experts"}) {
    EXPECT_EQ(complaint_with(none, 0), "") << none;
    EXPECT_EQ(complaint_with(none, 0.0), "") << none;
  }
}

// transformers 5.24: Qwen2Config(num_key_value_heads=None).num_key_value_heads is num_attention_heads, that of
// Qwen2Config() is 32; so for Qwen3. LlamaConfig() has as many as heads.
TEST(Config, NullKeyValueHeadsAreAsManyAsHeadsAndAbsentOnesTheFamilysDefault) {
  Json config = llama_config();
  config["num_attention_heads"] = 64;
  config["head_dim"] = 16;
  for (const char* family : {"llama", "qwen2", "qwen3"}) {
    config["model_type"] = family;
    config["num_key_value_heads"] = nullptr;
    EXPECT_EQ(plan_from_config(config, "").config.kv_heads, 64u) << family;
    config.erase("num_key_value_heads");
    EXPECT_EQ(plan_from_config(config, "").config.kv_heads, std::string(family) == "llama" ? 64u : 32u) << family;
  }
}

TEST(Config, AnUnknownFamilyIsAnErrorThatListsTheKnown) {
  const std::string said = complaint_with("model_type", "mamba");
  EXPECT_NE(said.find("mamba"), std::string::npos);
  EXPECT_NE(said.find("llama, qwen2, qwen3, gemma3"), std::string::npos);
  Json nothing = llama_config();
  nothing.erase("model_type");
  EXPECT_NE(complaint(nothing).find("model_type"), std::string::npos);
}

TEST(RopeScaling, AnUnknownSchemeOrNumberIsAnError) {
  const auto names = [](const Json& scheme, const char* key) {
    EXPECT_NE(complaint_with("rope_scaling", scheme).find(key), std::string::npos) << scheme;
  };
  names({{"rope_type", "ntk"}, {"factor", 2.0}}, "'rope_scaling.rope_type' is \"ntk\"");
  names({{"type", "ntk"}, {"factor", 2.0}}, "'rope_scaling.type' is \"ntk\"");  // the old spelling
  names({{"type", "longrope"}, {"factor", 2.0}}, "'rope_scaling.short_factor' is missing, expected 8 positive numbers");
  names({{"type", "longrope"}, {"short_factor", Json::array({1, 2})}}, "expected 8 positive numbers");
  names({{"type", "dynamic"}}, "'rope_scaling.factor' is missing");
  EXPECT_NE(complaint_with("rope_scaling", {{"rope_type", "linear"}, {"factor", 0.0}}).find("rope_scaling.factor"),
            std::string::npos);
  EXPECT_NE(
      complaint_with("rope_scaling", {{"rope_type", "linear"}, {"factor", 2.0}, {"surprise", 3}}).find("surprise"),
      std::string::npos);
  EXPECT_NE(complaint_with("rope_scaling", "yarn").find("rope_scaling"), std::string::npos);
}

Rope yarn_with(const Json& more) {
  Json config = llama_config();
  config["rope_scaling"] = {{"rope_type", "yarn"}, {"factor", 4.0}, {"original_max_position_embeddings", 32}};
  config["rope_scaling"].update(more);
  return plan_from_config(config, "config.json").config.ropes[0].usual;
}

// transformers 5.24, _compute_yarn_parameters: `if mscale and mscale_all_dim`, `get("beta_fast") or 32`.
TEST(RopeScaling, YarnTakesAZeroForAbsentWhereTheOfficialOneDoes) {
  const Rope plain = yarn_with(Json::object());
  EXPECT_FLOAT_EQ(plain.magnitude, 1.1386294f);  // 0.1·ln 4 + 1
  for (const Json& zeros : {Json{{"mscale", 0}}, Json{{"mscale", 0.0}, {"mscale_all_dim", 1.0}},
                            Json{{"mscale", 2.0}, {"mscale_all_dim", 0}}, Json{{"beta_fast", 0}, {"beta_slow", 0}}}) {
    const Rope rope = yarn_with(zeros);
    EXPECT_EQ(rope.magnitude, plain.magnitude) << zeros;
    EXPECT_EQ(rope.inverse_frequencies, plain.inverse_frequencies) << zeros;
  }
  // (0.2·ln 4 + 1) / (0.1·ln 4 + 1)
  EXPECT_FLOAT_EQ(yarn_with({{"mscale", 2.0}, {"mscale_all_dim", 1.0}}).magnitude, 1.1217511f);
  EXPECT_THROW(yarn_with({{"mscale", -1}, {"mscale_all_dim", 1}}), Error);
}

// transformers 5.24 warns of a key that it does not know, and takes the factor's own magnitude.
TEST(RopeScaling, YarnsAttnFactorIsNotRead) {
  const Rope plain = yarn_with(Json::object()), named = yarn_with({{"attn_factor", 2.0}});
  EXPECT_EQ(named.magnitude, plain.magnitude);
  EXPECT_EQ(named.inverse_frequencies, plain.inverse_frequencies);
  EXPECT_EQ(yarn_with({{"attention_factor", 2.0}}).magnitude, 2.0f);
}

// The original length may stand beside the scheme, and holds over the one inside; the attention factor is
// √(1 + ln(max / original) / ln original).
TEST(RopeScaling, LongropeTakesTheOriginalLengthThatStandsBesideIt) {
  Json config = llama_config();
  config["max_position_embeddings"] = 64;
  config["original_max_position_embeddings"] = 16;
  config["rope_scaling"] = {{"type", "longrope"},
                            {"original_max_position_embeddings", 8},
                            {"short_factor", std::vector<float>(8, 1.0f)},
                            {"long_factor", std::vector<float>(8, 2.0f)}};
  const SessionRope rope = plan_from_config(config, "").config.ropes[0];
  EXPECT_EQ(rope.usual_tokens, 16u);
  EXPECT_FLOAT_EQ(rope.usual.magnitude, 1.2247449f);  // as LlamaRotaryEmbedding of transformers 5.24 has it
  EXPECT_EQ(rope.for_session(16).inverse_frequencies[0], 1.0f);
  EXPECT_EQ(rope.for_session(17).inverse_frequencies[0], 0.5f);
}

TEST(RopeScaling, DynamicReachesAsManyTimesTheContextAsItsFactorSays) {
  Json config = llama_config();
  EXPECT_EQ(plan_from_config(config, "").config.longest_context(), 128u);
  config["rope_scaling"] = {{"type", "dynamic"}, {"factor", 2.5}};
  const ModelConfig model = plan_from_config(config, "").config;
  EXPECT_EQ(model.context, 128u);
  EXPECT_EQ(model.longest_context(), 320u);
}

TEST(RopeScaling, BothDialectsSayTheSame) {
  Json before = llama_config();
  before["rope_scaling"] = {{"type", "linear"}, {"factor", 4.0}};
  Json now = llama_config();
  now.erase("rope_theta");
  now["rope_parameters"] = {{"rope_type", "linear"}, {"factor", 4.0}, {"rope_theta", 10000.0}};
  EXPECT_EQ(plan_from_config(before, "").config.ropes[0].usual.inverse_frequencies,
            plan_from_config(now, "").config.ropes[0].usual.inverse_frequencies);
}

}  // namespace
}  // namespace rung
