// The tokenizer in a GGUF's metadata → a Tokenizer. GGUF names the kind of pre-tokenizer (tokenizer.ggml.pre) and
// leaves what it does to the reader; here each does what the official tokenizer.json of its models does.  Milestone M0.
#include <algorithm>
#include <cmath>
#include <set>

#include "base/error.h"
#include "base/utf8.h"
#include "files/gguf.h"
#include "text/gguf_pre.h"
#include "text/tokenizer_impl.h"

namespace rung {
namespace {

constexpr std::string_view llama3 = R"((?i:'s|'t|'re|'ve|'m|'ll|'d)|[^\r\n\p{L}\p{N}]?\p{L}+)"
                                    R"(|\p{N}{1,3}| ?[^\s\p{L}\p{N}]+[\r\n]*|\s*[\r\n]+|\s+(?!\S)|\s+)";
constexpr std::string_view qwen2 =
    R"((?i:'s|'t|'re|'ve|'m|'ll|'d)|[^\r\n\p{L}\p{N}]?\p{L}+|\p{N}| ?[^\s\p{L}\p{N}]+[\r\n]*|\s*[\r\n]+|\s+(?!\S)|\s+)";
constexpr std::string_view tekken = R"([^\r\n\p{L}\p{N}]?[\p{Lu}\p{Lt}\p{Lm}\p{Lo}\p{M}]*[\p{Ll}\p{Lm}\p{Lo}\p{M}]+|)"
                                    R"([^\r\n\p{L}\p{N}]?[\p{Lu}\p{Lt}\p{Lm}\p{Lo}\p{M}]+[\p{Ll}\p{Lm}\p{Lo}\p{M}]*|)"
                                    R"(\p{N}| ?[^\s\p{L}\p{N}]+[\r\n/]*|\s*[\r\n]+|\s+(?!\S)|\s+)";
constexpr std::string_view gpt4o =
    R"([^\r\n\p{L}\p{N}]?[\p{Lu}\p{Lt}\p{Lm}\p{Lo}\p{M}]*[\p{Ll}\p{Lm}\p{Lo}\p{M}]+(?i:'s|'t|'re|'ve|'m|'ll|'d)?|)"
    R"([^\r\n\p{L}\p{N}]?[\p{Lu}\p{Lt}\p{Lm}\p{Lo}\p{M}]+[\p{Ll}\p{Lm}\p{Lo}\p{M}]*(?i:'s|'t|'re|'ve|'m|'ll|'d)?|)"
    R"(\p{N}{1,3}| ?[^\s\p{L}\p{N}]+[\r\n/]*|\s*[\r\n]+|\s+(?!\S)|\s+)";
// Letters that have a case, as DeepSeek's tokenizer lists them.
constexpr std::string_view cased_letters =
    R"(\s?[A-Za-z\x{b5}\x{c0}-\x{d6}\x{d8}-\x{f6}\x{f8}-\x{1ba}\x{1bc}-\x{1bf})"
    R"(\x{1c4}-\x{293}\x{295}-\x{2af}\x{370}-\x{373})"
    R"(\x{376}\x{377}\x{37b}-\x{37d}\x{37f}\x{386}\x{388}-\x{38a}\x{38c}\x{38e}-\x{3a1}\x{3a3}-\x{3f5}\x{3f7}-\x{481})"
    R"(\x{48a}-\x{52f}\x{531}-\x{556}\x{10a0}-\x{10c5}\x{13a0}-\x{13f5})"
    R"(\x{13f8}-\x{13fd}\x{1c90}-\x{1cba}\x{1cbd}-\x{1cbf})"
    R"(\x{1d00}-\x{1d2b}\x{1d6b}-\x{1d77}\x{1d79}-\x{1d9a}\x{1e00}-\x{1f15}\x{1f18}-\x{1f1d}\x{1f20}-\x{1f45})"
    R"(\x{1f48}-\x{1f4d}\x{1f50}-\x{1f57}\x{1f59}\x{1f5b}\x{1f5d}\x{1f5f}-\x{1f7d})"
    R"(\x{1f80}-\x{1fb4}\x{1fb6}-\x{1fbc}\x{1fbe})"
    R"(\x{1fc2}-\x{1fc4}\x{1fc6}-\x{1fcc}\x{1fd0}-\x{1fd3}\x{1fd6}-\x{1fdb}\x{1fe0}-\x{1fec}\x{1ff2}-\x{1ff4})"
    R"(\x{1ff6}-\x{1ffc}\x{2102}\x{2107}\x{210a}-\x{2113}\x{2115}\x{2119}-\x{211d})"
    R"(\x{2124}\x{2126}\x{2128}\x{212a}-\x{212d})"
    R"(\x{212f}-\x{2134}\x{2139}\x{213c}-\x{213f}\x{2145}-\x{2149}\x{214e})"
    R"(\x{2183}\x{2184}\x{2c00}-\x{2c7b}\x{2c7e}-\x{2ce4})"
    R"(\x{2ceb}-\x{2cee}\x{2cf2}\x{2cf3}\x{a640}-\x{a66d}\x{a680}-\x{a69b})"
    R"(\x{a722}-\x{a76f}\x{a771}-\x{a787}\x{a78b}-\x{a78e})"
    R"(\x{ab70}-\x{abbf}\x{fb00}-\x{fb06}\x{fb13}-\x{fb17}\x{ff21}-\x{ff3a}\x{ff41}-\x{ff5a}\x{10400}-\x{1044f})"
    R"(\x{104b0}-\x{104d3}\x{104d8}-\x{104fb}\x{10c80}-\x{10cb2}\x{10cc0}-\x{10cf2})"
    R"(\x{118a0}-\x{118df}\x{1e900}-\x{1e943}]+)";
constexpr std::string_view east_asian = R"([\x{4e00}-\x{9fa5}\x{800}-\x{4e00}\x{ac00}-\x{d7ff}]+)";

// How texts are cut into words, by the name in tokenizer.ggml.pre.
struct Pre {
  std::vector<std::string_view> names;
  std::vector<std::string_view> splits = {};  // patterns whose matches stand alone, one after the other
  bool single_digits = false;                 // then every digit stands alone
  bool gpt2 = false;                          // then GPT-2's own pattern
  bool nfc = false, ignore_merges = false, adds_bos = false;
};

const std::vector<Pre>& known_pres() {
  static const std::vector<Pre> pres = {
      // "default" has no official tokenizer: this is what llama.cpp does for it.
      {.names = {"default"},
       .splits = {R"([\p{P}\$\+<=>\^~\|]+)",
                  R"('s|'t|'re|'ve|'m|'ll|'d| ?\p{L}+| ?\p{N}+| ?[^\s\p{L}\p{N}]+|\s+(?!\S))", R"(\p{N}+)",
                  "[0-9][0-9][0-9]"}},
      {.names = {"gpt-2"}, .gpt2 = true},
      {.names = {"smollm", "starcoder"}, .single_digits = true, .gpt2 = true},
      {.names = {"llama-bpe", "llama3", "llama-v3"}, .splits = {llama3}, .ignore_merges = true, .adds_bos = true},
      {.names = {"qwen2"}, .splits = {qwen2}, .nfc = true},
      {.names = {"deepseek-llm"},
       .splits = {"[\r\n]", cased_letters, R"(\s?[!-/:-~！-／：-～‘-‟　-。]+)", R"(\s+$)", east_asian},
       .single_digits = true},
      {.names = {"deepseek-coder"},
       .splits = {"[\r\n]", R"(\s?\p{L}+)", R"(\s?\p{P}+)", east_asian},
       .single_digits = true},
      {.names = {"tekken"}, .splits = {tekken}, .ignore_merges = true, .adds_bos = true},
      {.names = {"gpt-4o"}, .splits = {gpt4o}},
  };
  return pres;
}

const Pre& find_pre(const Gguf& gguf, std::optional<std::string_view> chosen) {
  const std::optional<std::string_view> name = chosen ? chosen : gguf.string("tokenizer.ggml.pre");
  std::string known;
  for (const Pre& pre : known_pres()) {
    for (const std::string_view n : pre.names) {
      if (name == n) return pre;
      known += known.empty() ? "" : ", ";
      known += n;
    }
  }
  if (!name) {
    fail("{}: 'tokenizer.ggml.pre' is missing, so how to cut text into words is unknown; choose with --pre one of: {}",
         gguf.file(), known);
  }
  fail("{}: {} '{}' is not known; choose with --pre one of: {}", gguf.file(), chosen ? "--pre" : "tokenizer.ggml.pre",
       *name, known);
}

struct Source {
  const Gguf& gguf;
  const std::vector<std::string_view>& tokens;
  std::vector<std::int64_t> types;  // one per token

  GgufTokenType type(std::size_t i) const {
    return types.empty() ? GgufTokenType::normal : static_cast<GgufTokenType>(types[i]);
  }

  TokenId id(const char* key) const {
    const auto n = gguf.integer(key);
    if (!n || *n == 0xffffffff) return no_token;  // how writers say "none"
    if (*n < 0 || static_cast<std::size_t>(*n) >= tokens.size()) {
      fail("{}: '{}' is {}, expected an id below the vocabulary's size {}", gguf.file(), key, *n, tokens.size());
    }
    return static_cast<TokenId>(*n);
  }
};

Source read_source(const Gguf& gguf) {
  const auto* tokens = gguf.strings("tokenizer.ggml.tokens");
  if (tokens == nullptr || tokens->empty()) fail("{}: 'tokenizer.ggml.tokens' is missing: no vocabulary", gguf.file());
  if (tokens->size() > static_cast<std::size_t>(max_token_id)) {
    fail("{}: {} tokens, expected at most {}", gguf.file(), tokens->size(), max_token_id);
  }
  Source source{gguf, *tokens, {}};
  if (auto types = gguf.integers("tokenizer.ggml.token_type")) source.types = std::move(*types);
  if (!source.types.empty() && source.types.size() != tokens->size()) {
    fail("{}: 'tokenizer.ggml.token_type' has {} entries, expected {}, one per token", gguf.file(), source.types.size(),
         tokens->size());
  }
  return source;
}

// Also the token for what is unknown: in the official tokenizers it is an added token like the others.
bool is_special(GgufTokenType type) { return type == GgufTokenType::control || type == GgufTokenType::unknown; }

// Special tokens and the words a model was given later are found in the text as they stand.
void read_added(TokenizerParts& parts, const Source& source, std::size_t i) {
  const GgufTokenType type = source.type(i);
  if ((!is_special(type) && type != GgufTokenType::user_defined) || source.tokens[i].empty()) return;
  parts.added.push_back(
      {.id = static_cast<TokenId>(i), .content = std::string(source.tokens[i]), .special = is_special(type)});
}

Vocabulary read_vocabulary(TokenizerParts& parts, const Source& source) {
  Vocabulary vocabulary;
  std::size_t bytes = 0;
  for (const std::string_view token : source.tokens) bytes += token.size();
  vocabulary.reserve(source.tokens.size(), bytes);
  for (std::size_t i = 0; i < source.tokens.size(); ++i) {
    if (parts.raw && find_invalid_utf8(source.tokens[i])) {
      fail("{}: tokenizer.ggml.tokens: entry {} is no valid UTF-8", source.gguf.file(), i);
    }
    // What a person types may be cut and merged into anything but a special token.
    add_spelled(parts, vocabulary, static_cast<TokenId>(i), source.tokens[i], !is_special(source.type(i)));
    read_added(parts, source, i);
  }
  return vocabulary;
}

MergeTable read_merges(const TokenizerParts& parts, const Source& source, const Vocabulary& vocabulary) {
  const auto* lines = source.gguf.strings("tokenizer.ggml.merges");
  if (lines == nullptr) fail("{}: 'tokenizer.ggml.merges' is missing", source.gguf.file());
  MergeTable merges;
  merges.reserve(lines->size());
  std::string joined;
  for (std::size_t rank = 0; rank < lines->size(); ++rank) {
    const std::string_view line = (*lines)[rank];
    const auto wrong = [&](std::string_view what) {
      fail("{}: tokenizer.ggml.merges: entry {} '{}' {}", source.gguf.file(), rank, to_valid_utf8(line.substr(0, 80)),
           what);
    };
    const std::size_t space = line.find(' ', 1);
    if (space == line.npos || find_invalid_utf8(line)) wrong("is not two tokens");
    const std::string_view left = line.substr(0, space), right = line.substr(space + 1);
    joined.assign(left).append(right);
    const TokenId a = find_spelled(parts, vocabulary, left), b = find_spelled(parts, vocabulary, right);
    const TokenId result = find_spelled(parts, vocabulary, joined);
    if (a == no_token || b == no_token || result == no_token) wrong("names a token that the vocabulary lacks");
    merges.set(a, b, {static_cast<std::uint32_t>(rank), result});
  }
  return merges;
}

void read_ends(TokenizerParts& parts, const Source& source, bool adds_bos) {
  parts.bos = source.id("tokenizer.ggml.bos_token_id");
  parts.eos = source.id("tokenizer.ggml.eos_token_id");
  const auto wanted = [&](const char* key, bool absent) { return source.gguf.boolean(key).value_or(absent); };
  if (wanted("tokenizer.ggml.add_bos_token", adds_bos) && parts.bos != no_token) parts.before.push_back(parts.bos);
  if (wanted("tokenizer.ggml.add_eos_token", false) && parts.eos != no_token) parts.after.push_back(parts.eos);
}

TokenizerParts read_byte_level(const Source& source, std::optional<std::string_view> chosen) {
  const Pre& pre = find_pre(source.gguf, chosen);
  TokenizerParts parts;
  parts.where = source.gguf.file();
  parts.raw = true;
  if (pre.nfc) parts.normalizer.add(NormalForm::nfc);
  for (const std::string_view pattern : pre.splits) {
    parts.pre_tokenizer.add(SplitPattern{Pattern::regex(pattern, pre.names[0]), SplitBehavior::isolated, false});
  }
  if (pre.single_digits) parts.pre_tokenizer.add(SplitKinds{digit_kinds(), SplitBehavior::isolated});
  const bool prefix = source.gguf.boolean("tokenizer.ggml.add_space_prefix").value_or(false);
  parts.pre_tokenizer.add(SplitByteLevel{prefix, pre.gpt2, false});
  Vocabulary vocabulary = read_vocabulary(parts, source);
  MergeTable merges = read_merges(parts, source, vocabulary);
  parts.model = std::make_unique<Bpe>(std::move(vocabulary), std::move(merges), Bpe::Units::bytes,
                                      BpeOptions{.ignore_merges = pre.ignore_merges});
  parts.decoder.add(DecodeByteLevel{});
  read_ends(parts, source, pre.adds_bos);
  parts.description = fmt::format("BPE from GGUF, pre-tokenizer {}", pre.names[0]);
  return parts;
}

// What a byte token spells, it must spell right: its text is looked up by value later.
void check_byte_tokens(const Source& source) {
  for (std::size_t i = 0; i < source.tokens.size(); ++i) {
    if (source.type(i) == GgufTokenType::byte && !byte_token_value(source.tokens[i])) {
      fail("{}: token {} '{}' is marked as a byte, expected <0x00> to <0xFF>", source.gguf.file(), i,
           to_valid_utf8(source.tokens[i].substr(0, 80)));
    }
  }
}

// Gemma's runs of spaces "▁▁", "▁▁▁", … are user-defined tokens; writers of GGUF turn their marks into spaces, and the
// official merges put them before all others. So do we, when all the shorter runs are there to merge from. Returns the
// run's length, or 0.
std::size_t mergeable_spaces(const Source& source, std::size_t i, const std::set<std::size_t>& runs) {
  const std::string_view token = source.tokens[i];
  if (source.type(i) != GgufTokenType::user_defined || token.size() < 2 || token.find_first_not_of(' ') != token.npos) {
    return 0;
  }
  for (std::size_t n = 2; n < token.size(); ++n) {
    if (!runs.contains(n)) return 0;
  }
  return token.size();
}

std::string marks(std::size_t n) {
  std::string text;
  while (n-- > 0) text += "▁";
  return text;
}

// Better scores first; equal scores share a rank.
std::vector<std::uint32_t> rank(const Source& source, const std::vector<float>& scores) {
  std::vector<TokenId> order;
  for (std::size_t i = 0; i < scores.size(); ++i) {
    if (source.type(i) == GgufTokenType::normal || source.type(i) == GgufTokenType::user_defined) {
      order.push_back(static_cast<TokenId>(i));
    }
  }
  const auto score = [&](TokenId id) { return scores[static_cast<std::size_t>(id)]; };
  std::sort(order.begin(), order.end(), [&](TokenId a, TokenId b) { return score(a) > score(b); });
  std::vector<std::uint32_t> ranks(scores.size(), Bpe::never);
  std::uint32_t next = 1;  // 0 is for runs of spaces
  for (std::size_t i = 0; i < order.size(); ++i) {
    if (i > 0 && score(order[i]) != score(order[i - 1])) next = static_cast<std::uint32_t>(i) + 1;
    ranks[static_cast<std::size_t>(order[i])] = next;
  }
  return ranks;
}

std::vector<float> read_scores(const Source& source) {
  auto scores = source.gguf.floats("tokenizer.ggml.scores");
  if (!scores || scores->size() != source.tokens.size()) {
    fail("{}: 'tokenizer.ggml.scores' has {} entries, expected {}, one per token", source.gguf.file(),
         scores ? scores->size() : 0, source.tokens.size());
  }
  for (std::size_t i = 0; i < scores->size(); ++i) {
    if (std::isnan((*scores)[i])) fail("{}: the score of token {} is no number", source.gguf.file(), i);
  }
  return std::move(*scores);
}

// The vocabulary with its runs of spaces spelled "▁▁" again; their ranks become the first.
Vocabulary read_marked_vocabulary(TokenizerParts& parts, const Source& source, std::vector<std::uint32_t>& ranks) {
  std::set<std::size_t> runs;
  for (std::size_t i = 0; i < source.tokens.size(); ++i) {
    if (source.type(i) == GgufTokenType::user_defined &&
        source.tokens[i].find_first_not_of(' ') == std::string_view::npos) {
      runs.insert(source.tokens[i].size());
    }
  }
  Vocabulary vocabulary;
  std::size_t bytes = 0;
  for (const std::string_view token : source.tokens) bytes += token.size();
  vocabulary.reserve(source.tokens.size(), bytes);
  for (std::size_t i = 0; i < source.tokens.size(); ++i) {
    const auto id = static_cast<TokenId>(i);
    if (const std::size_t spaces = mergeable_spaces(source, i, runs)) {
      ranks[i] = 0;
      vocabulary.add(id, marks(spaces));
      parts.added.push_back({.id = id, .content = marks(spaces)});
    } else {
      vocabulary.add(id, source.tokens[i], !is_special(source.type(i)));
      read_added(parts, source, i);
    }
  }
  return vocabulary;
}

TokenizerParts read_scored(const Source& source) {
  TokenizerParts parts;
  parts.where = source.gguf.file();
  check_byte_tokens(source);
  const bool prefix = source.gguf.boolean("tokenizer.ggml.add_space_prefix").value_or(true);
  if (prefix) parts.normalizer.add(Prepend{"▁"});
  parts.normalizer.add(Replace{Pattern::literal(" "), "▁"});
  const BpeOptions options{
      .byte_fallback = true, .fuse_unknown = true, .unknown = source.id("tokenizer.ggml.unknown_token_id")};
  std::vector<std::uint32_t> ranks = rank(source, read_scores(source));
  Vocabulary vocabulary = read_marked_vocabulary(parts, source, ranks);
  parts.model = std::make_unique<Bpe>(std::move(vocabulary), std::move(ranks), options);
  parts.decoder.add(DecodeReplace{Pattern::literal("▁"), " "});
  parts.decoder.add(DecodeByteFallback{});
  parts.decoder.add(DecodeFuse{});
  if (prefix) parts.decoder.add(DecodeStrip{U' ', 1, 0});
  read_ends(parts, source, true);
  parts.description = "SentencePiece-style BPE from GGUF";
  return parts;
}

}  // namespace

Tokenizer Tokenizer::from_gguf(const Gguf& gguf, std::optional<std::string_view> pre) {
  const auto model = gguf.string("tokenizer.ggml.model");
  if (!model) fail("{}: 'tokenizer.ggml.model' is missing: no tokenizer in this file", gguf.file());
  const Source source = read_source(gguf);
  if (*model == "gpt2") return Impl::make(read_byte_level(source, pre));
  if (*model != "llama") {
    fail("{}: tokenizer.ggml.model '{}' is not supported, expected gpt2 or llama", gguf.file(), *model);
  }
  if (pre) fail("{}: --pre {}: a tokenizer of model 'llama' has no pre-tokenizer to choose", gguf.file(), *pre);
  return Impl::make(read_scored(source));
}

std::optional<std::string_view> gguf_pre_name(const GgufPreSteps& steps) {
  for (const Pre& pre : known_pres()) {
    if (std::equal(steps.splits.begin(), steps.splits.end(), pre.splits.begin(), pre.splits.end()) &&
        pre.single_digits == steps.single_digits && pre.gpt2 == steps.gpt2 && pre.nfc == steps.nfc &&
        pre.ignore_merges == steps.ignore_merges) {
      return pre.names[0];
    }
  }
  return std::nullopt;
}

}  // namespace rung
