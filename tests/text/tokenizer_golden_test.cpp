// Ours against the official tokenizers of real models: the goldens are made by tools/goldens/tokenizer_ids.py.
#include "text/tokenizer_golden.h"

namespace rung {
namespace {

struct Official {
  std::string download;
  std::string golden;
  std::string beyond = {};       // a string with a token that this file's vocabulary lacks
  bool hides_other_ids = false;  // it marks other tokens as control tokens
};
void PrintTo(const Official& o, std::ostream* out) { *out << o.download; }

class OfficialTokenizer : public testing::TestWithParam<Official> {};

std::string streamed(const Tokenizer& tokenizer, const std::vector<TokenId>& ids, bool skip_special) {
  Tokenizer::Stream stream(tokenizer, skip_special);
  std::string text;
  for (const TokenId id : ids) text += stream.push(id);
  return text + stream.finish();
}

TEST_P(OfficialTokenizer, GivesTheSameIdsForHardStrings) {
  RUNG_NEEDS_DOWNLOAD(GetParam().download);
  const Tokenizer tokenizer = load_download(GetParam().download);
  const auto strings = golden_lines("hard_strings.jsonl"), ids = golden_lines(GetParam().golden + ".ids.jsonl");
  ASSERT_EQ(strings.size(), ids.size());
  ASSERT_GE(strings.size(), 400u);
  for (std::size_t i = 0; i < strings.size(); ++i) {
    if (strings[i] == GetParam().beyond) continue;
    EXPECT_EQ(Json(tokenizer.encode(strings[i].get<std::string>(), {.add_special = false})), ids[i]) << strings[i];
  }
}

TEST_P(OfficialTokenizer, GivesTheSameTextForHardIds) {
  RUNG_NEEDS_DOWNLOAD(GetParam().download);
  const Tokenizer tokenizer = load_download(GetParam().download);
  for (const Json& line : golden_lines(GetParam().golden + ".texts.jsonl")) {
    const auto ids = line[0].get<std::vector<TokenId>>();
    EXPECT_EQ(tokenizer.decode(ids), line[1].get<std::string>()) << line[0];
    if (!GetParam().hides_other_ids) {
      EXPECT_EQ(tokenizer.decode(ids, true), line[2].get<std::string>()) << line[0];
    }
    EXPECT_EQ(streamed(tokenizer, ids, false), line[1].get<std::string>()) << line[0];
  }
}

// Gemma 3's two formats agree but for this: the GGUF's vocabulary ends before <image_soft_token> (262144), for its
// model has no eyes; and it marks <unused0> … as control tokens, which tokenizer.json does not.
const Official gemma_gguf{"gemma3.gguf", "gemma3", "<image_soft_token>", true};

INSTANTIATE_TEST_SUITE_P(All, OfficialTokenizer,
                         testing::Values(Official{"qwen3", "qwen3"}, Official{"qwen2_5", "qwen2_5"},
                                         Official{"llama3", "llama3"}, Official{"llama3_1", "llama3"},
                                         Official{"llama3_2", "llama3_2"}, Official{"gemma3", "gemma3"},
                                         Official{"gpt4o", "gpt4o"}, Official{"mistral_nemo", "mistral_nemo"},
                                         Official{"smollm2.gguf", "smollm2"}, gemma_gguf),
                         [](const auto& test) {
                           std::string name = test.param.download;
                           std::replace(name.begin(), name.end(), '.', '_');
                           return name;
                         });

TEST(SmolLm2, DigitsStandAloneSoTwoNewlinesStayOneToken) {
  RUNG_NEEDS_DOWNLOAD("smollm2.gguf");
  const Tokenizer tokenizer = load_download("smollm2.gguf");
  EXPECT_EQ(tokenizer.encode("x.\n\n1"), (std::vector<TokenId>{104, 30, 1116, 33}));
  EXPECT_EQ(tokenizer.piece(1116), "\n\n");
}

TEST(Ends, AreAddedAsTheFilesSay) {
  RUNG_NEEDS_DOWNLOAD("llama3_1");
  RUNG_NEEDS_DOWNLOAD("gemma3.gguf");
  const Tokenizer llama = load_download("llama3_1"), gemma = load_download("gemma3"),
                  gguf = load_download("gemma3.gguf");
  EXPECT_EQ(llama.encode("").front(), 128000);
  EXPECT_EQ(gemma.encode("a"), (std::vector<TokenId>{2, 236746}));
  EXPECT_EQ(gguf.encode("a"), gemma.encode("a"));
  EXPECT_TRUE(gguf.adds_bos());
  EXPECT_EQ(llama.eos(), 128009);
  EXPECT_EQ(load_download("llama3").encode("a"), (std::vector<TokenId>{64}));
}

}  // namespace
}  // namespace rung
