// A word → token ids, by byte-pair encoding: start from single characters and, again and again, join the two neighbours
// whose pair was learnt first (has the lowest rank), until no pair is left that was learnt.  Milestone M0.
//
// Sennrich, Haddow, Birch: Neural Machine Translation of Rare Words with Subword Units, 2016.
#pragma once

#include <array>
#include <cstdint>
#include <map>
#include <span>
#include <string_view>
#include <utility>
#include <vector>

#include "text/vocabulary.h"

namespace rung {

struct Merge {
  std::uint32_t rank = ~std::uint32_t{0};  // the default is no merge: it comes last
  TokenId result = no_token;
};

// (left, right) → merge. Open addressing, at most half full.
class MergeTable {
 public:
  void reserve(std::size_t merges);
  void set(TokenId left, TokenId right, Merge merge);  // the last one said of a pair counts
  Merge find(TokenId left, TokenId right) const {
    for (std::size_t i = slot(left, right);; i = (i + 1) & (entries_.size() - 1)) {
      const Entry& e = entries_[i];
      if (e.left == left && e.right == right) return e.merge;
      if (e.left == no_token) return {};
    }
  }

 private:
  struct Entry {
    TokenId left = no_token, right = no_token;
    Merge merge;
  };
  std::size_t slot(TokenId left, TokenId right) const;
  std::vector<Entry> entries_ = std::vector<Entry>(2);
};

struct BpeOptions {
  bool byte_fallback = false;  // a character that is no token becomes its bytes' tokens <0x00> … <0xFF>
  bool fuse_unknown = false;   // neighbouring unknown characters become one unknown token
  bool ignore_merges = false;  // a word that is a token is that token, whatever the merges say
  TokenId unknown = no_token;  // without one, unknown characters vanish
};

class Bpe {
 public:
  // Raw: words are any bytes, and each byte is a character (the byte-level alphabet). Otherwise they are text, in
  // UTF-8.
  enum class Units : std::uint8_t { bytes, characters };

  // Merges are a list (tokenizer.json, GGUF "gpt2"), or follow from the tokens' own ranks, one per id (GGUF "llama"):
  // any two tokens whose joined text is a token of a rank may merge, the lower rank first. No token of rank `never`
  // comes from merging. An `unused` one (by id, sorted) may, as a step to a longer one; where it is left over at the
  // end, it falls apart again into the two that it was last seen to come from (SentencePiece's UNUSED pieces).
  static constexpr std::uint32_t never = ~std::uint32_t{0};
  Bpe(Vocabulary vocabulary, MergeTable merges, Units units, const BpeOptions& options);
  Bpe(Vocabulary vocabulary, std::vector<std::uint32_t> ranks, std::vector<TokenId> unused, const BpeOptions& options);

  const Vocabulary& vocabulary() const { return vocabulary_; }

  struct Step {
    TokenId left, right;
    std::uint32_t rank;
  };
  // Working memory and the words seen lately. Bounded; one per thread.
  class Scratch;
  void encode(std::string_view word, std::vector<TokenId>& out, Scratch& scratch,
              std::vector<Step>* steps = nullptr) const;

 private:
  struct Initial {
    TokenId id = no_token;           // this, or
    std::array<TokenId, 4> bytes{};  // these, or else the unknown token
    std::uint8_t count = 0;
  };
  void prepare();
  Initial initial(std::string_view character) const;
  Merge merge(TokenId left, TokenId right) const;
  // The same for two neighbours in a word: what an unused token would come from is written down.
  Merge meet(TokenId left, TokenId right, Scratch& scratch) const;
  bool is_unused(TokenId id) const;
  bool is_step(TokenId id) const;
  void take_apart(std::vector<TokenId>& symbols, const Scratch& scratch) const;
  void start(std::string_view word, std::vector<TokenId>& symbols) const;
  void encode_whole(std::string_view word, std::vector<TokenId>& out, Scratch& scratch, std::vector<Step>* steps) const;
  void merge_short(std::vector<TokenId>& symbols, Scratch& scratch, std::vector<Step>* steps) const;
  void merge_long(std::vector<TokenId>& symbols, Scratch& scratch, std::vector<Step>* steps) const;
  std::size_t part(std::string_view word) const;

  Vocabulary vocabulary_;
  MergeTable merges_;
  std::vector<std::uint32_t> ranks_;  // by id; empty: merges_ count
  std::vector<TokenId> unused_;       // sorted
  Units units_;
  BpeOptions options_;
  std::array<Initial, 256> initials_{};     // of bytes, or of ASCII characters
  std::array<TokenId, 256> byte_tokens_{};  // <0x00> … <0xFF>
  bool splits_ = false;                     // long words may be cut in front of "▁" …
  std::array<bool, 256> joins_space_{};     // … unless it follows this byte: some token has both inside
};

class Bpe::Scratch {
 public:
  std::vector<TokenId> symbols;
  std::vector<Merge> pairs;
  std::vector<std::uint32_t> previous, next;
  struct Candidate {
    std::uint32_t rank, position;
    TokenId result;
  };
  std::vector<Candidate> heap;
  std::map<TokenId, std::pair<TokenId, TokenId>> came_from;  // unused tokens, in this word

  // The ids of a word met before; nullptr: never, or forgotten.
  struct Entry {
    std::uint64_t hash = 0;
    std::uint32_t word = 0, ids = 0;  // offsets
    std::uint16_t length = 0, count = 0;
  };
  static constexpr std::size_t max_word_bytes = 128;
  const Entry* find(std::uint64_t hash, std::string_view word) const;
  void remember(std::uint64_t hash, std::string_view word, std::span<const TokenId> ids);
  std::span<const TokenId> ids(const Entry& e) const { return {ids_.data() + e.ids, e.count}; }

 private:
  std::vector<Entry> entries_ = std::vector<Entry>(64);
  std::size_t count_ = 0;
  std::string words_;
  std::vector<TokenId> ids_;
};

}  // namespace rung
