// Real GGUF files, when they have been brought.
#include <gtest/gtest.h>

#include <cstdlib>
#include <filesystem>

#include "files/gguf.h"

namespace rung {
namespace {

TEST(Gguf, OpensSmollm2) {
  const std::filesystem::path path = std::string(RUNG_DOWNLOADS) + "/smollm2.gguf";
  if (!std::filesystem::exists(path)) {
    ASSERT_EQ(std::getenv("CI"), nullptr) << path << " is missing";
    GTEST_SKIP() << path << " is missing: ./rung pull smollm2";
  }
  const Gguf gguf = Gguf::open(path);
  EXPECT_EQ(gguf.string("general.architecture"), "llama");
  EXPECT_EQ(gguf.integer("llama.block_count"), 30);
  EXPECT_EQ(gguf.strings("tokenizer.ggml.tokens")->size(), 49152u);
  const FileTensor* embedding = find_tensor(gguf.tensors(), "token_embd.weight");
  ASSERT_NE(embedding, nullptr);
  EXPECT_EQ(embedding->dtype, DType::q8_0);
  EXPECT_EQ(embedding->shape, (std::vector<std::size_t>{49152, 576}));
  EXPECT_EQ(gguf.tensors().size(), 272u);
}

}  // namespace
}  // namespace rung
