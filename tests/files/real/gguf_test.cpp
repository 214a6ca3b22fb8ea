// GGUF files as they lie on the hub.
#include "files/gguf.h"

#include <gtest/gtest.h>

#include "downloads.h"

namespace rung {
namespace {

TEST(GgufOfTheHub, Smollm2) {
  RUNG_NEEDS_DOWNLOAD("smollm2.gguf");
  const Gguf gguf = Gguf::open(download("smollm2.gguf"));
  EXPECT_EQ(gguf.string("general.architecture"), "llama");
  EXPECT_EQ(gguf.integer("llama.block_count"), 30);
  EXPECT_EQ(gguf.strings("tokenizer.ggml.tokens")->size(), 49152u);
  const FileTensor* embedding = find_tensor(gguf.tensors(), "token_embd.weight");
  ASSERT_NE(embedding, nullptr);
  EXPECT_EQ(embedding->dtype, DType::q8_0);
  EXPECT_EQ(embedding->shape, (std::vector<std::size_t>{49152, 576}));
  EXPECT_EQ(gguf.tensors().size(), 272u);
}

TEST(GgufOfTheHub, Gemma3) {
  RUNG_NEEDS_DOWNLOAD("gemma3.gguf");
  const Gguf gguf = Gguf::open(download("gemma3.gguf"));
  EXPECT_EQ(gguf.string("general.architecture"), "gemma3");
  EXPECT_EQ(gguf.strings("tokenizer.ggml.tokens")->size(), 262144u);
  EXPECT_EQ(gguf.tensors().size(), 236u);
  EXPECT_TRUE(gguf.tensors().others.empty());
}

}  // namespace
}  // namespace rung
