// A GGUF file's numbers about its model, as enemies write them: an error that names the key, without a crash and
// without the memory that the number asks for.
#include <gtest/gtest.h>

#include <fstream>
#include <functional>
#include <map>
#include <string>
#include <vector>

#include "files/expect_error.h"
#include "files/gguf_builder.h"
#include "files/temporary_folder.h"
#include "model/families/families.h"

namespace rung {
namespace {

// A llama of the usual keys, one of them as the test wants it.
ModelPlan plan_with(const std::string& key, std::uint32_t value,
                    std::initializer_list<std::uint64_t> embedding = {64, 10}) {
  std::map<std::string, std::uint32_t> numbers{{"embedding_length", 64},    {"feed_forward_length", 96},
                                               {"attention.head_count", 4}, {"attention.head_count_kv", 2},
                                               {"context_length", 128},     {"block_count", 2}};
  numbers[key] = value;
  GgufBuilder b(1, 2 + numbers.size());
  b.key("general.architecture", 8).string("llama");
  b.key("llama.attention.layer_norm_rms_epsilon", 6).number(1e-5f);
  for (const auto& [name, number] : numbers) b.u32("llama." + name, number);
  b.tensor("token_embd.weight", embedding, 0, 0).pad().data(64 * 10 * 4);
  const TemporaryFolder folder;
  std::ofstream(folder / "t.gguf", std::ios::binary) << b.text();
  return plan_from_gguf(Gguf::open(folder / "t.gguf"));
}

TEST(GgufSettings, AreReadAsTheFamilyMeansThem) {
  const ModelConfig config = plan_with("block_count", 3).config;
  EXPECT_EQ(config.layers.size(), 3u);
  EXPECT_EQ(config.head_dim, 16u);
  EXPECT_EQ(config.vocab_size, 10u);
}

// llama.cpp pull requests 25821 and 26051: block_count was believed, and tables for 512 layers written beyond their
// end.
TEST(GgufSettings, Pr25821MoreLayersThanAnyModelHas) {
  for (const std::uint32_t count : {10'001u, 0x7fffffffu}) {
    expect_error([&] { plan_with("block_count", count); },
                 "'llama.block_count' is " + std::to_string(count) + ", expected at most 10000");
  }
  expect_error([] { plan_with("block_count", 0xffffffff); },
               "'llama.block_count' is 4294967295, expected a positive whole number");
}

// llama.cpp issues 2247 and 24085: no heads, and the width of one was reckoned by dividing by them.
TEST(GgufSettings, Issue2247NoHeads) {
  for (const char* key : {"attention.head_count", "attention.head_count_kv", "embedding_length", "attention.key_length",
                          "block_count", "context_length", "feed_forward_length"}) {
    expect_error([&] { plan_with(key, 0); }, std::string("'llama.") + key + "' is 0, expected a positive whole number");
  }
  expect_error([] { plan_with("attention.head_count", 65); },
               "'llama.attention.head_count' is 65, expected at most embedding_length");
  expect_error([] { plan_with("attention.head_count_kv", 3); }, "4 heads cannot share 3 key/value heads evenly");
  expect_error([] { plan_with("attention.key_length", 0x7ffffffe); }, "head_dim is 2147483646, expected at most 65536");
}

// The rows of the embedding are the vocabulary: of a tensor without axes there was no first extent.
TEST(GgufSettings, AnEmbeddingOfAnyOtherRankOrWithoutRows) {
  expect_error([] { plan_with("block_count", 2, {}); }, "tensor 'token_embd.weight' is [], expected [tokens, 64]");
  expect_error([] { plan_with("block_count", 2, {64}); }, "is [64], expected [tokens, 64]");
  expect_error([] { plan_with("block_count", 2, {64, 5, 2}); }, "is [2, 5, 64], expected [tokens, 64]");
  expect_error([] { plan_with("block_count", 2, {64, 0}); }, "is [0, 64], expected [tokens, 64]");
}

// A file with these keys, each written by its function, and an embedding.
using Key = std::function<void(GgufBuilder&)>;
ModelPlan plan_of(const std::vector<Key>& keys) {
  GgufBuilder b(1, keys.size());
  for (const Key& write : keys) write(b);
  b.tensor("token_embd.weight", {64, 10}, 0, 0).pad().data(64 * 10 * 4);
  const TemporaryFolder folder;
  std::ofstream(folder / "t.gguf", std::ios::binary) << b.text();
  return plan_from_gguf(Gguf::open(folder / "t.gguf"));
}

Key text(std::string key, std::string value) {
  return [=](GgufBuilder& b) { b.key(key, 8).string(value); };
}
Key whole(std::string key, std::uint32_t value) {
  return [=](GgufBuilder& b) { b.u32(key, value); };
}
Key real(std::string key, float value) {
  return [=](GgufBuilder& b) { b.key(key, 6).number(value); };
}
Key flag(std::string key, bool value) {
  return [=](GgufBuilder& b) { b.key(key, 7).number(static_cast<std::uint8_t>(value)); };
}
Key list(std::string key, std::vector<std::uint32_t> values) {
  return [=](GgufBuilder& b) {
    b.key(key, 9).number(std::uint32_t{4}).number(std::uint64_t{values.size()});
    for (const std::uint32_t v : values) b.number(v);
  };
}

// The llama of plan_with and these keys.
ModelPlan llama_with(std::vector<Key> keys) {
  const std::vector<Key> usual{text("general.architecture", "llama"), whole("llama.embedding_length", 64),
                               whole("llama.context_length", 128), whole("llama.block_count", 2),
                               real("llama.attention.layer_norm_rms_epsilon", 1e-5f)};
  keys.insert(keys.begin(), usual.begin(), usual.end());
  return plan_of(keys);
}
const Key kHeads = whole("llama.attention.head_count", 4), kInside = whole("llama.feed_forward_length", 96);

TEST(GgufSettings, WhatMayDifferByLayerIsOneNumberWhereAllLayersHaveTheSame) {
  const ModelConfig config =
      llama_with({list("llama.attention.head_count", {4, 4}), list("llama.attention.head_count_kv", {2, 2}),
                  list("llama.feed_forward_length", {96, 96})})
          .config;
  EXPECT_EQ(config.heads, 4u);
  EXPECT_EQ(config.kv_heads, 2u);
  EXPECT_EQ(config.mlp.intermediate_size, 96u);
  expect_error([] { llama_with({list("llama.attention.head_count", {4, 8}), kInside}); },
               "'llama.attention.head_count' is [4,8], expected a positive whole number");
  expect_error([] { llama_with({list("llama.attention.head_count", {4, 4, 4}), kInside}); },
               "'llama.attention.head_count' is [4,4,4], expected a positive whole number");  // of two layers
}

TEST(GgufSettings, WhatAModelSaysThatItHasNotIsNoObstacle) {
  const auto complaint = [](const Key& key) {
    try {
      llama_with({kHeads, kInside, key});
    } catch (const Error& e) {
      return std::string(e.what());
    }
    return std::string();
  };
  EXPECT_EQ(complaint(whole("llama.expert_count", 0)), "");
  EXPECT_EQ(complaint(whole("llama.expert_used_count", 0)), "");
  EXPECT_EQ(complaint(flag("llama.attention.causal", true)), "");
  EXPECT_EQ(complaint(real("llama.attn_logit_softcapping", 0)), "");
  EXPECT_EQ(complaint(real("llama.final_logit_softcapping", 0)), "");
  EXPECT_NE(complaint(whole("llama.expert_count", 8)).find("'llama.expert_count' is 8, expected 0"), std::string::npos);
  EXPECT_NE(complaint(flag("llama.attention.causal", false)).find("'llama.attention.causal' is false"),
            std::string::npos);
  EXPECT_NE(complaint(real("llama.final_logit_softcapping", 30)).find("final_logit_softcapping"), std::string::npos);
}

TEST(GgufSettings, AFileThatIsNoModelSaysWhatItIs) {
  const Key llama = text("general.architecture", "llama");
  expect_error([&] { plan_of({llama, text("general.type", "adapter"), text("adapter.type", "lora")}); },
               "t.gguf: this is no model but a lora adapter for one (llama)");
  expect_error([&] { plan_of({text("general.architecture", "clip"), text("general.type", "mmproj")}); },
               "t.gguf: this is the part of a model that sees or hears");
  expect_error([&] { plan_of({text("general.architecture", "clip")}); }, "expected the text model's file");
  expect_error([&] { plan_of({text("general.type", "imatrix")}); },
               "t.gguf: this is no model but an importance matrix");
}

// Published 1B blobs of Ollama name the ropes their own way and leave the epsilon out (ollama: llama/compat). One of
// the models that see is tests/golden/models/gemma3-ollama-gguf.
TEST(GgufSettings, OllamasSpellingOfGemma3) {
  const ModelConfig config =
      plan_of({text("general.architecture", "gemma3"), whole("gemma3.embedding_length", 64),
               whole("gemma3.context_length", 32768), whole("gemma3.block_count", 2),
               whole("gemma3.attention.head_count", 4), whole("gemma3.feed_forward_length", 96),
               whole("gemma3.attention.sliding_window", 512), real("gemma3.rope.global.freq_base", 500000),
               real("gemma3.rope.local.freq_base", 20000)})
          .config;
  EXPECT_EQ(config.norm_epsilon, 1e-6f);
  EXPECT_EQ(config.rope_names, (std::vector<std::string>{"global: theta 500000", "local: theta 20000"}));
}

// A llama with heads of 4, the factors of longrope as tensors, and the type of the scaling.
SessionRope longrope_with(const Key& type) {
  GgufBuilder b(3, 10);
  for (const Key& write :
       {text("general.architecture", "llama"), whole("llama.embedding_length", 64), whole("llama.context_length", 128),
        whole("llama.block_count", 2), real("llama.attention.layer_norm_rms_epsilon", 1e-5f),
        whole("llama.attention.head_count", 16), kInside, type, whole("llama.rope.scaling.original_context_length", 32),
        real("llama.rope.scaling.attn_factor", 1.25f)}) {
    write(b);
  }
  b.tensor("token_embd.weight", {64, 10}, 0, 0);
  b.tensor("rope_factors_long.weight", {2}, 0, 64 * 10 * 4)
      .tensor("rope_factors_short.weight", {2}, 0, 64 * 10 * 4 + 32);
  b.pad().data(64 * 10 * 4).number(4.0f).number(8.0f).pad().number(1.0f).number(2.0f).pad();
  const TemporaryFolder folder;
  std::ofstream(folder / "t.gguf", std::ios::binary) << b.text();
  return plan_from_gguf(Gguf::open(folder / "t.gguf")).config.ropes[0];
}

TEST(GgufSettings, LongropesFactorsAreTensors) {
  const SessionRope rope = longrope_with(text("llama.rope.scaling.type", "longrope"));
  // 1 / (factor·theta^(2i / head_dim)), theta 10000, head_dim 4
  EXPECT_EQ(rope.for_session(32).inverse_frequencies, (std::vector<float>{1.0f, 0.005f}));
  EXPECT_EQ(rope.for_session(33).inverse_frequencies, (std::vector<float>{0.25f, 0.00125f}));
  EXPECT_EQ(rope.usual.magnitude, 1.25f);
  expect_error([] { llama_with({kHeads, kInside, text("llama.rope.scaling.type", "longrope")}); },
               "longrope needs the tensors");
  const Key other = text("llama.rope.scaling.type", "none");
  expect_error([&] { longrope_with(other); }, "expected longrope, since there is a tensor 'rope_factors_long.weight'");
}

}  // namespace
}  // namespace rung
