// A GGUF file's numbers about its model, as enemies write them: an error that names the key, without a crash and
// without the memory that the number asks for.
#include <gtest/gtest.h>

#include <fstream>
#include <map>
#include <string>

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

}  // namespace
}  // namespace rung
