// Names of the hub, and what of strangers' words may become a path.
#include "files/hub/name.h"

#include <gtest/gtest.h>

#include "base/error.h"
#include "files/hub/choice.h"

namespace rung {
namespace {

TEST(HubName, IsOwnerAndNameAndPerhapsMore) {
  const HubName plain = HubName::parse("Qwen/Qwen3-0.6B");
  EXPECT_EQ(plain.repository, "Qwen/Qwen3-0.6B");
  EXPECT_EQ(plain.revision, "main");
  EXPECT_EQ(plain.quantization, "");
  EXPECT_EQ(plain.folder(), "models--Qwen--Qwen3-0.6B");
  const HubName whole = HubName::parse("a/b_c.d@refs/pr/1:UD-Q4_K_XL");
  EXPECT_EQ(whole.repository, "a/b_c.d");
  EXPECT_EQ(whole.revision, "refs/pr/1");
  EXPECT_EQ(whole.quantization, "UD-Q4_K_XL");
  EXPECT_EQ(whole.text(), "a/b_c.d@refs/pr/1:UD-Q4_K_XL");
}

TEST(HubName, OfAnotherShapeIsRefused) {
  for (const char* name : {"a",        "a/",      "/b",       "a/b/c",   "../b",     "a/..",   "a/b--c",
                           "a/b..c",   "a/-b",    "a/b.",     "a/b.git", "a b/c",    "ä/b",    "a/b@",
                           "a/b@../x", "a/b@x y", "a/b@x..y", "a/b:",    "a/b:../x", "a/b@/x", "a/b@x:y:z"}) {
    EXPECT_THROW(HubName::parse(name), Error) << name;
  }
}

TEST(HubName, IsToldFromAPath) {
  EXPECT_TRUE(HubName::looks_like("a/b"));
  EXPECT_TRUE(HubName::looks_like("a/b@x/y:z"));
  for (const char* path : {"a", "./a", "../a", "/a/b", "a/b/c", "a/", "~/a"})
    EXPECT_FALSE(HubName::looks_like(path)) << path;
}

TEST(Paths, ComeFromPlainWordsAlone) {
  for (const char* name : {"config.json", "a/b/c.jinja", "ä.gguf"}) EXPECT_TRUE(is_file_name(name)) << name;
  for (const std::string name :
       {"", "/a", "a/", "a//b", "..", "../a", "a/../b", "a/..", ".", "a\\b", "C:a", "a\nb", "a\x7f", "a\xff"}) {
    EXPECT_FALSE(is_file_name(name)) << name;
  }
  EXPECT_TRUE(is_commit(std::string(40, 'a')));
  EXPECT_FALSE(is_commit(std::string(40, 'A')));
  EXPECT_FALSE(is_commit(std::string(39, 'a')));
  EXPECT_TRUE(is_etag(std::string(64, '0')));
  EXPECT_FALSE(is_etag(std::string(63, '0') + "/"));
}

// Names as repositories on the hub have them.
TEST(Quantization, IsReadFromAFilesName) {
  const auto quantization_of = [](const char* name) {
    const std::vector<HubFile> files{{name, 1, ""}};
    const auto models = gguf_models(files);
    return models.empty() ? "none" : models.front().quantization;
  };
  EXPECT_EQ(quantization_of("gemma-3-1b-it-Q4_K_M.gguf"), "Q4_K_M");
  EXPECT_EQ(quantization_of("gemma-3-1b-it-UD-IQ2_M.gguf"), "UD-IQ2_M");
  EXPECT_EQ(quantization_of("qwen2.5-0.5b-instruct-q4_0.gguf"), "q4_0");
  EXPECT_EQ(quantization_of("TinyLlama-1.1B.Q5_K_S.gguf"), "Q5_K_S");
  EXPECT_EQ(quantization_of("BF16/Llama-3-BF16-00001-of-00002.gguf"), "BF16");
  EXPECT_EQ(quantization_of("gpt-oss-MXFP4_MOE.gguf"), "MXFP4_MOE");
  EXPECT_EQ(quantization_of("model.gguf"), "model");
  EXPECT_EQ(quantization_of("mmproj-model-f16.gguf"), "none");
  EXPECT_EQ(quantization_of("model.imatrix.gguf"), "none");
}

}  // namespace
}  // namespace rung
