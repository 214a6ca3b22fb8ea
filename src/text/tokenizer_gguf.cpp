// The tokenizer in a GGUF's metadata → a Tokenizer. GGUF names the kind of pre-tokenizer (tokenizer.ggml.pre) and
// leaves what it does to the reader: gguf_pre.cpp.  Milestone M0.
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

const GgufPre& find_pre(const Gguf& gguf, std::optional<std::string_view> chosen) {
  const std::optional<std::string_view> name = chosen ? chosen : gguf.string("tokenizer.ggml.pre");
  if (const GgufPre* pre = name ? find_gguf_pre(*name) : nullptr) return *pre;
  std::string known;  // one name for each way to cut
  for (const GgufPre& pre : gguf_pres()) {
    known += known.empty() ? "" : ", ";
    known += pre.names[0];
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
    if (find_invalid_utf8(source.tokens[i])) {
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
  const GgufPre& pre = find_pre(source.gguf, chosen);
  TokenizerParts parts;
  parts.where = source.gguf.file();
  if (pre.form) parts.normalizer.add(*pre.form);
  const bool prefix = source.gguf.boolean("tokenizer.ggml.add_space_prefix").value_or(false);
  for (PreTokenizerStage& stage : pre.stages(prefix)) parts.pre_tokenizer.add(std::move(stage));
  parts.raw = std::holds_alternative<SplitByteLevel>(parts.pre_tokenizer.stages().back());
  Vocabulary vocabulary = read_vocabulary(parts, source);
  MergeTable merges = read_merges(parts, source, vocabulary);
  const Bpe::Units units = parts.raw ? Bpe::Units::bytes : Bpe::Units::characters;
  parts.model = std::make_unique<Bpe>(std::move(vocabulary), std::move(merges), units,
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

// Better scores first; equal scores share a rank. SentencePiece merges into unused pieces, too.
std::vector<std::uint32_t> rank(const Source& source, const std::vector<float>& scores) {
  std::vector<TokenId> order;
  for (std::size_t i = 0; i < scores.size(); ++i) {
    const GgufTokenType type = source.type(i);
    if (type == GgufTokenType::normal || type == GgufTokenType::user_defined || type == GgufTokenType::unused) {
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
  std::vector<TokenId> unused;
  for (std::size_t i = 0; i < source.tokens.size(); ++i) {
    if (source.type(i) == GgufTokenType::unused) unused.push_back(static_cast<TokenId>(i));
  }
  parts.model = std::make_unique<Bpe>(std::move(vocabulary), std::move(ranks), std::move(unused), options);
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

}  // namespace rung
