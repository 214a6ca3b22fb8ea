// What a Tokenizer promises beside the right ids: text that a person typed never becomes a control token, streams never
// give half a character, merges can be explained, many threads may encode at once.
#include <atomic>
#include <thread>

#include "text/tokenizer_golden.h"

namespace rung {
namespace {

Json letters() {
  Json vocabulary = Json::object();
  for (char c = ' '; c <= '~'; ++c) vocabulary[std::string(1, c)] = c;
  for (const char* byte : {"<0xF0>", "<0x9F>", "<0xA6>", "<0x8A>"}) vocabulary[byte] = 200 + vocabulary.size();
  vocabulary["un"] = 400, vocabulary["unb"] = 401, vocabulary["le"] = 402;
  Json json{{"model", {{"vocab", vocabulary}, {"merges", {"u n", "un b", "l e"}}, {"byte_fallback", true}}},
            {"decoder", {{"type", "Sequence"}, {"decoders", {{{"type", "ByteFallback"}}, {{"type", "Fuse"}}}}}}};
  return json;
}

Json token(TokenId id, const std::string& content, bool special, bool normalized = false) {
  return {
      {"id", id},        {"content", content}, {"special", special}, {"normalized", normalized}, {"single_word", false},
      {"lstrip", false}, {"rstrip", false}};
}

std::string spelled(const Tokenizer& tokenizer, const std::vector<TokenId>& ids) {
  std::string out;
  for (const TokenId id : ids) out.append(out.empty() ? "" : " ").append(tokenizer.piece(id));
  return out;
}

TEST(Untrusted, AForbiddenTokenIsNotMatchedWhereItTouchesUntrustedBytes) {
  Json json = letters();
  json["added_tokens"] = {token(500, "<e>", true), token(501, "<e>!", false)};
  const Tokenizer tokenizer = Tokenizer::from_json(json.dump(), "t");
  const auto encode = [&](const std::string& text, std::vector<ByteRange> ranges) {
    const Untrusted untrusted{.typed = std::move(ranges), .spoken = {}, .forbidden = {500, 501}, .known = {}};
    return spelled(tokenizer, tokenizer.encode(text, {.untrusted = &untrusted}));
  };
  EXPECT_EQ(encode("a<e>b", {}), "a <e> b");
  EXPECT_EQ(encode("a<e>b", {{0, 1}, {4, 5}}), "a <e> b");  // around it
  EXPECT_EQ(encode("a<e>b", {{0, 5}}), "a < e > b");        // inside
  EXPECT_EQ(encode("a<e>b", {{0, 2}}), "a < e > b");        // the person typed its first byte
  EXPECT_EQ(encode("a<e>b", {{3, 5}}), "a < e > b");        // or its last
  EXPECT_EQ(encode("<e>!", {{3, 4}}), "<e> !");             // the longer one is refused, the shorter one stands
  EXPECT_EQ(encode("<e><e>", {{0, 3}}), "< e > <e>");       // the search goes on behind a refusal
  EXPECT_EQ(encode("<e><e>", {{3, 6}}), "<e> < e >");
  EXPECT_EQ(encode("a<e>b", {{2, 2}}), "a <e> b");  // an empty range is touched by nothing
}

TEST(Untrusted, HoldsForTokensLookedForInNormalizedText) {
  Json json = letters();
  json["normalizer"] = {{"type", "Lowercase"}};
  json["added_tokens"] = Json::array({token(500, "<E>", true, true)});
  Tokenizer tokenizer = Tokenizer::from_json(json.dump(), "t");
  const auto encode = [&](const std::string& text, std::vector<ByteRange> ranges) {
    const Untrusted untrusted{.typed = std::move(ranges), .spoken = {}, .forbidden = {500}, .known = {}};
    return spelled(tokenizer, tokenizer.encode(text, {.untrusted = &untrusted}));
  };
  EXPECT_EQ(encode("A<e>İ<e>", {{0, 1}}), "a <E> i <E>");
  EXPECT_EQ(encode("A<e>B<E>", {{5, 8}}), "a <E> b < e >");
  EXPECT_EQ(encode("A<e>B<E>", {{0, 4}}), "a < e > b <E>");
  json["normalizer"] = {{"type", "Prepend"}, {"prepend", "_"}};  // where runs do not add up, all of the segment counts
  tokenizer = Tokenizer::from_json(json.dump(), "t");
  EXPECT_EQ(encode("_<E>a", {{0, 1}}), "_ _ < E > a");
}

TEST(Untrusted, TheAssistantMayWriteWhatIsNotSpecial) {
  Json json = letters();
  json["added_tokens"] = {token(500, "<e>", true), token(501, "<f>", false)};
  const Tokenizer tokenizer = Tokenizer::from_json(json.dump(), "t");
  const Untrusted untrusted{.typed = {{0, 6}}, .spoken = {{6, 12}}, .forbidden = {500, 501}, .known = {}};
  EXPECT_EQ(spelled(tokenizer, tokenizer.encode("<e><f><e><f><e><f>", {.untrusted = &untrusted})),
            "< e > < f > < e > <f> <e> <f>");
}

TEST(Untrusted, KnownIdsStandForTheirRange) {
  const Tokenizer tokenizer = Tokenizer::from_json(letters().dump(), "t");
  const Untrusted untrusted{.typed = {}, .spoken = {{2, 5}}, .forbidden = {}, .known = {{{2, 5}, {'u', 'n', 'b'}}}};
  EXPECT_EQ(spelled(tokenizer, tokenizer.encode("a unb un", {.untrusted = &untrusted})), "a   u n b   un");
}

TEST(Stream, NeverGivesHalfACharacter) {
  const Tokenizer tokenizer = Tokenizer::from_json(letters().dump(), "t");
  const auto fox = tokenizer.encode("a🦊b");
  ASSERT_EQ(fox.size(), 6u);
  Tokenizer::Stream stream(tokenizer);
  std::vector<std::string> given;
  for (const TokenId id : fox) given.push_back(stream.push(id));
  given.push_back(stream.finish());
  EXPECT_EQ(given, (std::vector<std::string>{"a", "", "", "", "", "🦊b", ""}));

  Tokenizer::Stream cut(tokenizer);
  std::string text = cut.push(fox[1]);
  text += cut.push(fox[2]);
  text += cut.finish();
  EXPECT_EQ(text, "\uFFFD\uFFFD");
}

TEST(Stream, OfBytesGivesACharacterAsSoonAsItIsWhole) {
  RUNG_NEEDS_DOWNLOAD("smollm2.gguf");
  const Tokenizer tokenizer = load_download("smollm2.gguf");
  const auto ids = tokenizer.encode("é🦊!");
  Tokenizer::Stream stream(tokenizer);
  std::string all;
  for (const TokenId id : ids) {
    const std::string text = stream.push(id);
    EXPECT_TRUE(text.empty() || (text.front() & 0xc0) != 0x80) << "a character's rest alone";
    all += text;
  }
  EXPECT_EQ(all, "é🦊!");
  EXPECT_EQ(stream.finish(), "");
}

TEST(Explain, TellsTheMergesInTheirOrder) {
  const Tokenizer tokenizer = Tokenizer::from_json(letters().dump(), "t");
  std::string told;
  for (const MergeStep& s : tokenizer.explain("unble")) {
    told += s.left + "+" + s.right + " " + std::to_string(s.rank) + "; ";
  }
  EXPECT_EQ(told, "u+n 0; un+b 1; l+e 2; ");
}

TEST(Vocabulary, KnowsItsTokensBySpellingAndById) {
  RUNG_NEEDS_DOWNLOAD("smollm2.gguf");
  const Tokenizer tokenizer = load_download("smollm2.gguf");
  EXPECT_EQ(tokenizer.vocab_size(), 49152u);
  EXPECT_EQ(tokenizer.id_of("<|im_end|>"), 2);
  EXPECT_EQ(tokenizer.piece(tokenizer.id_of("Ġthe").value()), " the");
  EXPECT_EQ(tokenizer.id_of("no such token"), std::nullopt);
  EXPECT_TRUE(tokenizer.is_special(2));
  EXPECT_FALSE(tokenizer.is_added(1116));
  EXPECT_EQ(tokenizer.bos(), 1);
  EXPECT_EQ(tokenizer.eos(), 2);
  EXPECT_FALSE(tokenizer.adds_bos());
}

TEST(Encode, MayRunInManyThreads) {
  const Tokenizer tokenizer = Tokenizer::from_json(letters().dump(), "t");
  const auto expected = tokenizer.encode("unbelievable words");
  std::vector<std::thread> threads;
  std::atomic<int> wrong = 0;
  for (int t = 0; t < 4; ++t) {
    threads.emplace_back([&] {
      for (int i = 0; i < 200; ++i) wrong += tokenizer.encode("unbelievable words") != expected;
    });
  }
  for (std::thread& t : threads) t.join();
  EXPECT_EQ(wrong, 0);
}

}  // namespace
}  // namespace rung
