// Every part that a tokenizer.json may name, alone in a tiny tokenizer, against the official library:
// tools/goldens/tokenizer_variants.py.
#include "base/error.h"
#include "text/pattern.h"
#include "text/pre_tokenizer.h"
#include "text/tokenizer_golden.h"

namespace rung {
namespace {

std::string streamed(const Tokenizer& tokenizer, const std::vector<TokenId>& ids, bool skip_special = false,
                     const std::vector<TokenId>& before = {}) {
  Tokenizer::Stream stream(tokenizer, skip_special, before);
  std::string text;
  for (const TokenId id : ids) text += stream.push(id);
  return text + stream.finish();
}

TEST(TokenizerVariants, AgreeWithTheOfficialOnes) {
  const auto models = golden_lines("variant_models.jsonl");
  for (Json line : golden_lines("variants.jsonl")) {
    SCOPED_TRACE(line["name"]);
    line["tokenizer"]["model"] = models.at(line["tokenizer"]["model"].get<std::size_t>());
    const Tokenizer tokenizer = Tokenizer::from_json(line["tokenizer"].dump(), "variant");
    for (const Json& item : line["cases"]) {
      expect_case(tokenizer, item);
      const auto plain = item[2].get<std::vector<TokenId>>();
      EXPECT_EQ(streamed(tokenizer, plain), tokenizer.decode(plain)) << item[0];
    }
  }
}

// "Once upon" goes on with " a time": the official text of the whole, less that of its beginning (tokenizers#1274).
TEST(TokenizerVariants, GoOnWithATextAsTheOfficialOnesDo) {
  const auto models = golden_lines("variant_models.jsonl");
  std::map<std::string, Json> documents;
  for (const Json& line : golden_lines("variants.jsonl")) documents[line["name"]] = line["tokenizer"];
  for (const Json& line : golden_lines("continuations.jsonl")) {
    SCOPED_TRACE(line["name"]);
    Json document = documents.at(line["name"]);
    document["model"] = models.at(document["model"].get<std::size_t>());
    const Tokenizer tokenizer = Tokenizer::from_json(document.dump(), "variant");
    for (const Json& item : line["cases"]) {
      const auto before = item[0].get<std::vector<TokenId>>(), after = item[1].get<std::vector<TokenId>>();
      EXPECT_EQ(streamed(tokenizer, after, true, before), item[2].get<std::string>()) << item;
      EXPECT_EQ(streamed(tokenizer, after, true), tokenizer.decode(after, true)) << "alone, it has a beginning";
    }
  }
}

std::vector<std::string> pieces_of(const std::string& pattern, const std::string& text) {
  PreTokenizer splitter;
  splitter.add(SplitPattern{Pattern::regex(pattern, "test"), SplitBehavior::isolated, false});
  PreTokenizer::Scratch scratch;
  std::vector<std::string> pieces;
  splitter.split(text, true, scratch, [&](std::string_view piece) { pieces.emplace_back(piece); });
  return pieces;
}

// What we lack: each is refused by name, never read otherwise.
const std::set<std::string> refused = {};

TEST(RegexPatterns, CutTextsAsTheOfficialEngineDoes) {
  for (const Json& line : golden_lines("patterns.jsonl")) {
    const auto pattern = line["pattern"].get<std::string>();
    SCOPED_TRACE(pattern);
    if (line.contains("refused") || refused.contains(pattern)) {
      EXPECT_THROW(Regex(pattern, "test"), Error);
      continue;
    }
    try {
      for (const Json& item : line["cases"]) {
        EXPECT_EQ(Json(pieces_of(pattern, item[0].get<std::string>())), item[1]) << item[0];
      }
    } catch (const Error& e) {
      ADD_FAILURE() << e.what();
    }
  }
}

}  // namespace
}  // namespace rung
