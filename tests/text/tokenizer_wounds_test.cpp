// Files and texts made to hurt: each is refused in one line that names it, or costs no more than its length. By the
// public report where there is one.
#include <cmath>
#include <functional>
#include <limits>

#include "files/expect_error.h"
#include "files/gguf_builder.h"
#include "files/temporary_folder.h"
#include "text/gguf_pre.h"
#include "text/pattern.h"
#include "text/tokenizer_golden.h"

namespace rung {
namespace {

Json tiny() {
  return {{"added_tokens", Json::array()},
          {"normalizer", nullptr},
          {"pre_tokenizer", nullptr},
          {"post_processor", nullptr},
          {"decoder", {{"type", "Fuse"}}},
          {"model",
           {{"type", "BPE"},
            {"vocab", {{"a", 0}, {"b", 1}, {"ab", 2}, {"<u>", 3}}},
            {"merges", {"a b"}},
            {"unk_token", "<u>"}}}};
}

void expect_refused(const Json& json, const std::string& part) {
  expect_error([&] { Tokenizer::from_json(json.dump(-1, ' ', false, Json::error_handler_t::replace), "t.json"); },
               part);
}

TEST(TokenizerJson, OfWhatIsNamedAndNotSupportedTheErrorSaysWhereItIs) {
  expect_refused(Json{{"model", 1}}, "t.json.model");
  expect_refused(Json::array(), "t.json");
  const auto with = [](const char* pointer, const Json& value) {
    Json json = tiny();
    json[Json::json_pointer(pointer)] = value;
    return json;
  };
  expect_refused(with("/model/type", "Unigram"), "t.json.model: 'Unigram' is not supported");
  expect_refused(with("/model/dropout", 0.1), "dropout");
  expect_refused(with("/model/end_of_word_suffix", "</w>"), "end_of_word_suffix");
  expect_refused(with("/model/continuing_subword_prefix", "##"), "continuing_subword_prefix");
  expect_refused(with("/model/unk_token", "<x>"), "unk_token '<x>'");
  expect_refused(with("/normalizer", {{"type", "Nmt"}}), "t.json.normalizer: 'Nmt' is not supported");
  expect_refused(with("/normalizer", {{"type", "Sequence"}, {"normalizers", {{{"type", "BertNormalizer"}}}}}),
                 "normalizers[0]");
  expect_refused(with("/pre_tokenizer", {{"type", "UnicodeScripts"}}), "'UnicodeScripts'");
  expect_refused(
      with("/pre_tokenizer",
           {{"type", "Split"}, {"pattern", {{"Regex", "(?<=a)b"}}}, {"behavior", "Isolated"}, {"invert", false}}),
      "(?<=");
  expect_refused(with("/pre_tokenizer",
                      {{"type", "Split"}, {"pattern", {{"String", ""}}}, {"behavior", "Isolated"}, {"invert", false}}),
                 "empty");
  expect_refused(with("/pre_tokenizer",
                      {{"type", "Split"}, {"pattern", {{"String", "a"}}}, {"behavior", "Halved"}, {"invert", false}}),
                 "'Halved'");
  expect_refused(with("/post_processor", {{"type", "RobertaProcessing"}}), "'RobertaProcessing'");
  expect_refused(with("/decoder", {{"type", "WordPiece"}}), "'WordPiece'");
  expect_refused(with("/decoder", {{"type", "Strip"}, {"content", "ab"}, {"start", 1}, {"stop", 0}}), "one character");
  expect_refused(with("/decoder", {{"type", "Strip"}, {"content", "a"}, {"start", -1}, {"stop", 0}}), "whole number");
}

TEST(TokenizerJson, IdsAreWholeNumbersOfReasonableSize) {
  for (const Json& id : {Json(-1), Json(1.5), Json(4294967295u), Json(std::uint64_t{1} << 63), Json("1"), Json(nullptr),
                         Json::array({1}), Json::object()}) {
    Json json = tiny();
    json["model"]["vocab"]["c"] = id;
    expect_refused(json, "token 'c' has the id");
  }
  Json twice = tiny();
  twice["model"]["vocab"]["c"] = 1;
  expect_refused(twice, "two tokens have the id 1");
  Json added = tiny();
  added["added_tokens"] = {{{"id", 1u << 30}, {"content", "x"}}};
  expect_refused(added, "added_tokens[0].id");
}

Json added(TokenId id, const std::string& content) {
  Json token{{"id", id}, {"content", content}};
  for (const char* flag : {"single_word", "lstrip", "rstrip", "normalized", "special"}) token[flag] = false;
  return token;
}

// The official library gives such a token another id, beyond the model's rows.
TEST(TokenizerJson, AnAddedTokenWhoseIdIsAnotherWordsIsRefused) {
  Json json = tiny();
  json["added_tokens"] = Json::array({added(1, "<x>")});
  expect_refused(json, "t.json.added_tokens[0]: '<x>' has the id 1, which is that of 'b' in the vocabulary");
  json["added_tokens"] = Json::array({added(4, "b")});
  expect_refused(json, "t.json.added_tokens[0]: 'b' has the id 4, but 1 in the vocabulary");
}

TEST(TokenizerConfig, AnAddedTokenWhoseIdIsAnotherWordsIsRefused) {
  const TemporaryFolder folder;
  std::ofstream(folder / "tokenizer.json") << tiny().dump();
  const auto load = [&](const char* id, const char* content) {
    const Json config{{"added_tokens_decoder", {{id, added(0, content)}}}};
    std::ofstream(folder / "tokenizer_config.json") << config.dump();
    return Tokenizer::from_folder(folder.path());
  };
  expect_error([&] { load("1", "<x>"); },
               "added_tokens_decoder.1: '<x>' has the id 1, which is that of 'b' in the vocabulary");
  EXPECT_EQ(load("1", "b").encode("ab"), (std::vector<TokenId>{0, 1}));
  EXPECT_EQ(load("4", "<x>").encode("a<x>"), (std::vector<TokenId>{0, 4}));
}

TEST(TokenizerJson, MergesNameTokensThatExist) {
  for (const Json& merge : {Json("a c"), Json("b a"), Json{"x", "y"}}) {
    Json json = tiny();
    json["model"]["merges"] = Json::array({merge});
    expect_refused(json, "model.merges: entry 0 needs the token");
  }
  for (const Json& merge : {Json("ab"), Json("a b c"), Json(7), Json::array({"a"}), Json::array({"a", "b", "ab"}),
                            Json::array({1, 2}), Json::object()}) {
    Json json = tiny();
    json["model"]["merges"] = Json::array({merge});
    expect_refused(json, "model.merges: entry 0 is");
  }
}

TEST(TokenizerJson, IsNotReadWhenItIsBroken) {
  expect_error([] { Tokenizer::from_json("", "t.json"); }, "t.json: not JSON");
  expect_error([] { Tokenizer::from_json("{\"model\":{\"vocab\":{\"a\":0}", "t.json"); }, "not JSON");
  expect_error([] { Tokenizer::from_json("{\"a\": \"\xff\"}", "t.json"); }, "not JSON");
  expect_error([] { Tokenizer::from_json(std::string(1'000'000, '['), "t.json"); }, "nested deeper than 256");
  expect_error([] { Tokenizer::from_json("{\"model\":{\"merges\":" + std::string(100'000, '['), "t.json"); }, "t.json");
  expect_error([] { Tokenizer::from_folder("/nonexistent"); }, "tokenizer.json");
}

TEST(Regex, DeepOrHugePatternsAreRefused) {
  expect_error([] { Regex(std::string(5000, '(') + std::string(5000, ')'), "p"); }, "p: ");
  expect_error(
      [] {
        Regex(
            std::string(60, '(') + "a" +
                [] {
                  std::string s;
                  for (int i = 0; i < 60; ++i) s += "){9,99}";
                  return s;
                }(),
            "p");
      },
      "too large");
  expect_error([] { Regex("a{1,100000}", "p"); }, "count");
  expect_error([] { Regex("(a)\\1", "p"); }, "'\\1'");
}

// "(a+)+$" on aaaa…b takes a matcher that backtracks 2^n steps.
TEST(Regex, APatternThatExplodesIsStopped) {
  Regex::Scratch scratch;
  const Regex explosive("(?:a+)+$", "p");
  const std::string text = std::string(64, 'a') + "b";
  expect_error([&] { Regex::Search(explosive, text, scratch).next(); }, "backtracks too much");
  const Regex quadratic("a*+b", "p");
  const std::string as(1'000'000, 'a');
  expect_error([&] { Regex::Search(quadratic, as, scratch).next(); }, "backtracks too much");
}

TEST(Encode, InvalidUtf8IsRefusedInOneLine) {
  const Tokenizer tokenizer = Tokenizer::from_json(tiny().dump(), "t.json");
  for (const char* bad : {"a\xff", "a\xc3", "a\xc0\x80", "a\xed\xa0\x80", "a\xf4\x90\x80\x80", "a\xe2\x82", "a\x80"}) {
    expect_error([&] { tokenizer.encode(bad); }, "text: byte 1 (0x");
  }
}

// As the official library has it: models have rows that their tokenizer has no token for.
TEST(Decode, IdsBeyondTheVocabularyAreNothing) {
  const Tokenizer tokenizer = Tokenizer::from_json(tiny().dump(), "t.json");
  const std::string alone = tokenizer.decode(std::vector<TokenId>{0});
  for (const TokenId id : {4, -1, 1 << 30, std::numeric_limits<TokenId>::min()}) {
    EXPECT_EQ(tokenizer.decode(std::vector<TokenId>{id, 0, id}), alone);
    EXPECT_EQ(tokenizer.piece(id), "");
  }
}

// The GGUF side. A vocabulary in metadata, as wrong as a test wants it.
class GgufVocabulary {
 public:
  std::vector<std::string> tokens{"<unk>", "<s>", "</s>", "▁", "a", "b", "ab", "▁a", "<0x41>"};
  std::vector<std::int32_t> types{2, 3, 3, 1, 1, 1, 1, 1, 6};
  std::vector<float> scores{0, 0, 0, -1, -2, -3, -4, -5, 0};
  std::vector<std::string> merges{"a b"};
  std::string model = "llama", pre = "gpt-2";
  std::uint32_t bos = 1;

  Tokenizer load(std::optional<std::string_view> choice = {}) const {
    GgufBuilder b(0, 7);
    b.key("tokenizer.ggml.model", 8).string(model);
    b.key("tokenizer.ggml.pre", 8).string(pre);
    b.u32("tokenizer.ggml.bos_token_id", bos);
    b.key("tokenizer.ggml.tokens", 9).number(std::uint32_t{8}).number(std::uint64_t{tokens.size()});
    for (const auto& t : tokens) b.string(t);
    b.key("tokenizer.ggml.merges", 9).number(std::uint32_t{8}).number(std::uint64_t{merges.size()});
    for (const auto& m : merges) b.string(m);
    b.key("tokenizer.ggml.token_type", 9).number(std::uint32_t{5}).number(std::uint64_t{types.size()});
    for (const auto t : types) b.number(t);
    b.key("tokenizer.ggml.scores", 9).number(std::uint32_t{6}).number(std::uint64_t{scores.size()});
    for (const auto s : scores) b.number(s);
    const TemporaryFolder folder;
    std::ofstream(folder / "t.gguf", std::ios::binary) << b.text();
    return Tokenizer::from_gguf(Gguf::open(folder / "t.gguf"), choice);
  }
};

TEST(GgufTokenizer, NeedsNoWeightsAndOutlivesItsFile) {
  const Tokenizer tokenizer = GgufVocabulary{}.load();
  EXPECT_EQ(tokenizer.encode("ab a"), (std::vector<TokenId>{1, 3, 6, 7}));
  EXPECT_EQ(tokenizer.decode(std::vector<TokenId>{1, 3, 6, 7}, true), "ab a");
  EXPECT_EQ(tokenizer.encode("A", {.add_special = false}), (std::vector<TokenId>{3, 8}));
}

// llama.cpp issue 2072. The ids are SentencePiece's: tools/goldens/unused_pieces.py.
TEST(GgufTokenizer, UnusedPiecesAreStepsOfMergesAndNoPartOfTheAnswer) {
  const Json golden = golden_lines("unused_pieces.json").at(0);
  GgufVocabulary v;
  v.tokens = golden["pieces"].get<std::vector<std::string>>();
  v.types = golden["types"].get<std::vector<std::int32_t>>();
  v.scores = golden["scores"].get<std::vector<float>>();
  ASSERT_GE(std::count(v.types.begin(), v.types.end(), 5), 20);
  const Tokenizer tokenizer = v.load();
  for (const Json& item : golden["cases"]) {
    EXPECT_EQ(Json(tokenizer.encode(item[0].get<std::string>(), {.add_special = false})), item[1]) << item[0];
  }
}

// The official tokenizers have <unk> among their added tokens, and so it is found as it stands; GGUF has a type of its
// own for it.
TEST(GgufTokenizer, TheUnknownTokenIsASpecialTokenLikeTheOthers) {
  const Tokenizer tokenizer = GgufVocabulary{}.load();
  EXPECT_EQ(tokenizer.encode("a<unk>b", {.add_special = false}), (std::vector<TokenId>{7, 0, 3, 5}));
  EXPECT_EQ(tokenizer.decode(std::vector<TokenId>{7, 0, 3, 5}, true), "a b");
}

// llama.cpp issue 25969: byte tokens whose digits are none were read past their end.
TEST(GgufTokenizer, ByteTokensThatSpellNoByteAreRefused) {
  for (const char* name : {"<0x-1>", "<0xZZ>", "<0x1>", "<0x", "", "<0x123>", "0x41"}) {
    GgufVocabulary v;
    v.tokens[8] = name;
    expect_error([&] { v.load(); }, "is marked as a byte, expected <0x00> to <0xFF>");
  }
}

// CVE-2025-49847: a token longer than the buffer it was copied to.
TEST(GgufTokenizer, ATokenMayBeLongerThanAnyBuffer) {
  GgufVocabulary v;
  v.tokens[6] = std::string(1 << 20, 'a');
  EXPECT_EQ(v.load().piece(6).size(), std::size_t{1} << 20);
  EXPECT_EQ(v.load().encode("ab", {.add_special = false}), (std::vector<TokenId>{7, 5}));
}

void expect_refused_with(const std::function<void(GgufVocabulary&)>& change, const std::string& part) {
  GgufVocabulary v;
  change(v);
  expect_error([&] { v.load(); }, part);
}

// llama.cpp pull request 20735: scores and token types were read for every token, however many there were of them.
TEST(GgufTokenizer, Pr20735ScoresOrTypesFewerThanTokensAreRefused) {
  expect_refused_with([](auto& v) { v.types.pop_back(); }, "'tokenizer.ggml.token_type' has 8 entries, expected 9");
  expect_refused_with([](auto& v) { v.scores.pop_back(); }, "'tokenizer.ggml.scores' has 8 entries, expected 9");
  expect_refused_with([](auto& v) { v.scores.clear(); }, "'tokenizer.ggml.scores' has 0 entries, expected 9");
  expect_refused_with([](auto& v) { v.scores.resize(10); }, "'tokenizer.ggml.scores' has 10 entries, expected 9");
}

// llama.cpp pull requests 25475 and 25508, mistral.rs 2225: ids of special tokens beyond the vocabulary; also where the
// file does not name them and a reader's own default (2, 11) is too large.
TEST(GgufTokenizer, Pr25508SpecialIdsBeyondTheVocabularyAreRefused) {
  for (const std::uint32_t id : {9u, 0x7fffffffu, 0x80000000u, 0xfffffffeu}) {
    expect_refused_with([&](auto& v) { v.bos = id; }, "expected an id below the vocabulary's size 9");
  }
  GgufVocabulary tiny;
  tiny.tokens.resize(1), tiny.types.resize(1), tiny.scores.resize(1);
  tiny.bos = 0xffffffff;  // none
  EXPECT_EQ(tiny.load().eos(), std::nullopt);
}

TEST(GgufTokenizer, ListsThatDoNotFitTogetherAreRefused) {
  const auto expect = expect_refused_with;
  expect([](auto& v) { v.scores[4] = std::numeric_limits<float>::quiet_NaN(); }, "score of token 4");
  expect([](auto& v) { v.tokens.clear(); }, "tokenizer.ggml.tokens");
  expect([](auto& v) { v.model = "rwkv"; }, "'rwkv' is not supported");
  expect([](auto& v) { v.model = "gpt2", v.merges = {"a c"}; }, "names a token that the vocabulary lacks");
  expect([](auto& v) { v.model = "gpt2", v.merges = {"ab"}; }, "is not two tokens");
  expect([](auto& v) { v.model = "gpt2", v.merges = {""}; }, "is not two tokens");
  expect([](auto& v) { v.model = "gpt2", v.tokens[4].assign(1, '\xff'); }, "entry 4 is no valid UTF-8");
}

TEST(GgufTokenizer, AnUnknownWayToCutWordsIsAnErrorThatListsTheKnownOnes) {
  GgufVocabulary v;
  v.model = "gpt2";
  v.pre = "mystery";
  expect_error([&] { v.load(); },
               "tokenizer.ggml.pre 'mystery' is not known; choose with --pre one of: default, gpt-2, olmo, smollm");
  expect_error([&] { v.load("mystery2"); }, "--pre 'mystery2'");
  EXPECT_EQ(v.load("gpt-2").encode("ab"), (std::vector<TokenId>{6}));
  for (const GgufPre& pre : gguf_pres()) {
    for (const std::string_view name : pre.names) {
      EXPECT_EQ(v.load(name).encode("ab", {.add_special = false}), (std::vector<TokenId>{6})) << name;
    }
  }
  v.model = "llama";
  expect_error([&] { v.load("gpt-2"); }, "--pre gpt-2");
}

// No text may merge into a control token, even if its parts are tokens.
TEST(GgufTokenizer, MergingNeverMakesAControlToken) {
  GgufVocabulary v;
  v.tokens.insert(v.tokens.end(), {"<", "s", ">", "<s"});
  v.types.insert(v.types.end(), {1, 1, 1, 1});
  v.scores.insert(v.scores.end(), {-1, -1, -1, -1});
  const Tokenizer tokenizer = v.load();
  const Untrusted untrusted{.typed = {{0, 3}}, .spoken = {}, .forbidden = {1}, .known = {}};
  EXPECT_EQ(tokenizer.encode("<s>", {.add_special = false}), (std::vector<TokenId>{1}));
  // no ▁ (3) in front: a typed token is encoded behind a newline (ControlTokens, from the official library)
  EXPECT_EQ(tokenizer.encode("<s>", {.add_special = false, .untrusted = &untrusted}), (std::vector<TokenId>{12, 11}));
}

}  // namespace
}  // namespace rung
