// How a GGUF file's tokenizer.ggml.pre cuts text into words, for every name that is known. The goldens are made by
// tools/goldens/gguf_pres.py: official vocabularies written as GGUF files, and the ids of the official tokenizer, or of
// llama.cpp where no official one is at hand.
#include <array>
#include <fstream>
#include <map>
#include <set>

#include "base/utf8.h"
#include "files/gguf_builder.h"
#include "files/temporary_folder.h"
#include "text/byte_alphabet.h"
#include "text/gguf_pre.h"
#include "text/tokenizer_golden.h"

namespace rung {
namespace {

// CRC-32 as zlib reckons it.
std::uint32_t checksum(const std::string& text) {
  static const std::array<std::uint32_t, 256> table = [] {
    std::array<std::uint32_t, 256> t{};
    for (std::uint32_t i = 0; i < 256; ++i) {
      t[i] = i;
      for (int bit = 0; bit < 8; ++bit) t[i] = (t[i] >> 1) ^ (t[i] % 2 == 1 ? 0xedb88320u : 0);
    }
    return t;
  }();
  std::uint32_t crc = 0xffffffff;
  for (const char c : text) crc = table[(crc ^ static_cast<unsigned char>(c)) & 0xff] ^ (crc >> 8);
  return ~crc;
}

// Of "1,2,3".
std::uint32_t checksum(const std::vector<TokenId>& ids) {
  std::string text;
  for (const TokenId id : ids) {
    if (!text.empty()) text += ',';
    text += std::to_string(id);
  }
  return checksum(text);
}

// An official tokenizer.json's vocabulary and merges as a GGUF file has them.
class OfficialVocabulary {
 public:
  explicit OfficialVocabulary(const std::string& name) {
    std::ifstream in(download(name) / "tokenizer.json");
    const Json file = Json::parse(in);
    for (const auto& [token, id] : file["model"]["vocab"].items()) put(id.get<std::size_t>(), token, 1);
    for (const Json& t : file["added_tokens"]) {
      put(t["id"].get<std::size_t>(), t["content"], t["special"].get<bool>() ? 3 : 4);
    }
    for (const Json& m : file["model"]["merges"]) {
      merges_.push_back(m.is_string() ? m.get<std::string>() : m[0].get<std::string>() + " " + m[1].get<std::string>());
    }
  }

  Tokenizer with_pre(const std::string& pre) const {
    GgufBuilder b(0, 5);
    b.key("tokenizer.ggml.model", 8).string("gpt2").key("tokenizer.ggml.pre", 8).string(pre);
    b.key("tokenizer.ggml.tokens", 9).number(std::uint32_t{8}).number(std::uint64_t{tokens_.size()});
    for (std::size_t i = 0; i < tokens_.size(); ++i) {
      b.string(types_[i] == kUnused ? "[PAD" + std::to_string(i) + "]" : tokens_[i]);
    }
    b.key("tokenizer.ggml.token_type", 9).number(std::uint32_t{5}).number(std::uint64_t{types_.size()});
    for (const std::int32_t type : types_) b.number(type);
    b.key("tokenizer.ggml.merges", 9).number(std::uint32_t{8}).number(std::uint64_t{merges_.size()});
    for (const std::string& m : merges_) b.string(m);
    const TemporaryFolder folder;
    std::ofstream(folder / "t.gguf", std::ios::binary) << b.text();
    return Tokenizer::from_gguf(Gguf::open(folder / "t.gguf"));
  }

 private:
  static constexpr std::int32_t kUnused = 5;

  void put(std::size_t id, const std::string& token, std::int32_t type) {
    if (tokens_.size() <= id) {
      tokens_.resize(id + 1);
      types_.resize(id + 1, kUnused);
    }
    tokens_[id] = token;
    types_[id] = type;
  }

  std::vector<std::string> tokens_;
  std::vector<std::int32_t> types_;
  std::vector<std::string> merges_;
};

// As tools/goldens/gguf_pres.py makes them: every character of an alphabet, 1024 a text.
std::vector<std::string> character_texts() {
  std::vector<std::string> texts;
  const auto add = [&](char32_t first) {
    std::string text;
    for (char32_t c = first; c < first + 1024; ++c) {
      if (c >= 0xd800 && c < 0xe000) continue;
      std::string u;
      append_utf8(u, c);
      text += (text.empty() ? "a" : "\na") + u + "b " + u + u + " 1" + u + "2" + u;
    }
    if (!text.empty()) texts.push_back(text);
  };
  for (char32_t first = 0; first < 0x20000; first += 1024) add(first);
  add(0xe0000);
  return texts;
}

class GgufPreIds : public testing::TestWithParam<std::string> {};

TEST_P(GgufPreIds, CutsTextAsTheOfficialTokenizerDoes) {
  const auto lines = golden_lines("pres.jsonl");
  const auto golden =
      std::find_if(lines.begin(), lines.end(), [](const Json& line) { return line["pre"] == GetParam(); });
  ASSERT_NE(golden, lines.end());
  RUNG_NEEDS_DOWNLOAD((*golden)["vocabulary"].get<std::string>());
  const Tokenizer tokenizer = OfficialVocabulary((*golden)["vocabulary"]).with_pre(GetParam());
  const auto strings = golden_lines("hard_strings.jsonl");
  ASSERT_EQ((*golden)["strings"].size(), strings.size());
  for (std::size_t i = 0; i < strings.size(); ++i) {
    if ((*golden)["strings"][i].is_null()) continue;  // llama.cpp is not believed (tools/goldens/gguf_pres.py)
    const auto ids = tokenizer.encode(strings[i].get<std::string>(), {.add_special = false});
    EXPECT_EQ(checksum(ids), (*golden)["strings"][i]) << strings[i] << " became " << Json(ids);
  }
  const auto texts = character_texts();
  ASSERT_EQ((*golden)["characters"].size(), texts.size());
  for (std::size_t i = 0; i < texts.size(); ++i) {
    // llama.cpp's Unicode is not the official one (tools/goldens/gguf_pres.py)
    if ((*golden)["characters"][i].is_null()) continue;
    EXPECT_EQ(checksum(tokenizer.encode(texts[i], {.add_special = false})), (*golden)["characters"][i])
        << "in the 1024 characters that begin as " << texts[i].substr(0, 20);
  }
}

INSTANTIATE_TEST_SUITE_P(All, GgufPreIds,
                         testing::Values("default", "gpt-2", "llama-bpe", "qwen2", "deepseek-llm", "deepseek-coder",
                                         "tekken", "gpt-4o"),
                         [](const auto& test) {
                           std::string name = test.param;
                           std::replace(name.begin(), name.end(), '-', '_');
                           return name;
                         });

// A text's words, spelled in GPT-2's alphabet, a tab between them.
class Words {
 public:
  explicit Words(const GgufPre& pre) : form_(pre.form) {
    for (PreTokenizerStage& stage : pre.stages(false)) cutter_.add(std::move(stage));
    spells_ = std::holds_alternative<SplitByteLevel>(cutter_.stages().back());
  }

  std::string of(const std::string& text) {
    std::string words;
    cutter_.split(form_ ? normalize(text, *form_) : text, true, scratch_, [&](std::string_view word) {
      if (!words.empty()) words += '\t';
      words += spells_ ? spell_bytes(word) : std::string(word);
    });
    return words;
  }

  // The golden holds a checksum of so many texts' words at a time, a line for each text.
  void expect(const std::vector<std::string>& texts, std::size_t together, const Json& sums) {
    ASSERT_EQ(sums.size(), (texts.size() + together - 1) / together);
    for (std::size_t i = 0; i < sums.size(); ++i) {
      std::string lines;
      for (std::size_t j = i * together; j < std::min(texts.size(), (i + 1) * together); ++j) {
        lines += (j == i * together ? "" : "\n") + of(texts[j]);
      }
      EXPECT_EQ(checksum(lines), sums[i]) << lines.substr(0, 2000);
    }
  }

 private:
  std::optional<NormalForm> form_;
  PreTokenizer cutter_;
  bool spells_ = false;
  PreTokenizer::Scratch scratch_;
};

TEST(GgufPreWords, AreTheOnesThatTheRulesOfTheOfficialTokenizersGive) {
  auto lines = golden_lines("pre_words.jsonl");
  std::vector<std::string> strings;
  for (const Json& text : golden_lines("hard_strings.jsonl")) strings.push_back(text);
  for (const Json& text : lines.at(0)["more_strings"]) strings.push_back(text);
  lines.erase(lines.begin());
  const auto characters = character_texts();
  std::set<std::string> judged;
  for (const Json& line : lines) {
    const std::string first = line["pre"][0];
    SCOPED_TRACE(first);
    const GgufPre* pre = find_gguf_pre(first);
    ASSERT_NE(pre, nullptr);
    Words words(*pre);
    words.expect(strings, 4, line["strings"]);
    words.expect(characters, 16, line["characters"]);
    for (const std::string name : line["pre"]) {
      judged.insert(name);
      const GgufPre* other = find_gguf_pre(name);
      ASSERT_NE(other, nullptr) << name;
      EXPECT_TRUE(other->cuts == pre->cuts && other->form == pre->form) << name;
    }
  }
  for (const GgufPre& pre : gguf_pres()) {
    for (const std::string_view name : pre.names) EXPECT_TRUE(judged.contains(std::string(name))) << name;
  }
}

// llama.cpp, src/llama-vocab.cpp at 00ad355e009e: the names for which it sets add_bos and ignore_merges.
TEST(GgufPreWords, TakeForGrantedWhatLlamaCppDoes) {
  using Names = std::set<std::string_view>;
  Names bos, whole_words;
  for (const GgufPre& pre : gguf_pres()) {
    if (pre.adds_bos) bos.insert(pre.names.begin(), pre.names.end());
    if (pre.ignore_merges) whole_words.insert(pre.names.begin(), pre.names.end());
  }
  const Names llama3{"llama3", "llama-v3", "llama-bpe", "falcon3",     "falcon-h1",
                     "lfm2",   "pixtral",  "midm-2.0",  "jina-v5-nano"};
  Names expected = llama3;
  expected.insert({"tekken", "chameleon"});
  EXPECT_EQ(bos, expected);
  expected = llama3;
  expected.insert({"tekken", "youtu", "minicpm5", "granite-embed-multi-97m"});
  EXPECT_EQ(whole_words, expected);
}

// A file that quantize writes is read again, by other programs, too: the best-known name of what it does.
TEST(GgufPreWords, HaveTheBestKnownNameOfTheirRule) {
  const auto name = [](std::string_view pre) { return gguf_pre_name(*find_gguf_pre(pre)); };
  EXPECT_EQ(name("llama3"), "llama-bpe");
  EXPECT_EQ(name("deepseek-r1-qwen"), "qwen2");
  EXPECT_EQ(name("starcoder"), "smollm");
  EXPECT_EQ(name("joyai-llm"), "deepseek-v3");
  EXPECT_EQ(gguf_pre_name({.names = {}, .cuts = {{.pattern = "a"}}}), std::nullopt);
}

}  // namespace
}  // namespace rung
