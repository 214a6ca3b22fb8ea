// What a Tokenizer is made of, and what its two loaders (tokenizer_json.cpp, tokenizer_gguf.cpp) fill in.  Milestone
// M0.
#pragma once

#include <map>
#include <memory>
#include <mutex>
#include <string>
#include <vector>

#include "text/added_tokens.h"
#include "text/bpe.h"
#include "text/decoder.h"
#include "text/normalizer.h"
#include "text/pre_tokenizer.h"
#include "text/tokenizer.h"

namespace rung {

// The parts, in the order in which a text meets them.
struct TokenizerParts {
  std::string where;  // for errors
  std::vector<AddedToken> added;
  Normalizer normalizer;
  PreTokenizer pre_tokenizer;
  std::unique_ptr<Bpe> model;
  // the model's tokens are bytes, spelled in GPT-2's alphabet (then the last stage is ByteLevel) …
  bool raw = false;
  // … but these, sorted, whose spelling has characters outside that alphabet: they stand for themselves
  std::vector<TokenId> literal;
  std::vector<TokenId> before, after;  // what add_special puts around the ids
  Decoder decoder;
  TokenId bos = no_token, eos = no_token;
  std::string description;
};

// A vocabulary in the making. In a raw one, tokens are kept as the bytes that their spelling stands for.
void add_spelled(TokenizerParts& parts, Vocabulary& vocabulary, TokenId id, std::string_view spelled,
                 bool findable = true);
// The id of a spelling; no_token if there is none.
TokenId find_spelled(const TokenizerParts& parts, const Vocabulary& vocabulary, std::string_view spelled);

struct Tokenizer::Impl {
  explicit Impl(TokenizerParts p);
  static Tokenizer make(TokenizerParts parts) { return Tokenizer(std::make_unique<Impl>(std::move(parts))); }

  struct Scratch {
    PreTokenizer::Scratch pre_tokenizer;
    Bpe::Scratch bpe;
  };
  // What a text is encoded for; `untrusted` in coordinates of the whole text.
  struct Job {
    std::vector<TokenId>& out;
    std::vector<Bpe::Step>* steps;
    const Untrusted* untrusted;
    Scratch& scratch;
  };
  // A part of the text that is encoded apart: its ids are known, or it is spelled like a token that it may not become.
  struct Cut {
    ByteRange range;
    const std::vector<TokenId>* ids;  // null: as plain text
  };
  void encode(std::string_view text, const Job& job) const;
  std::vector<Cut> cuts(std::string_view text, const Untrusted& untrusted) const;
  template <class Encode>
  void encode_behind_newline(std::string_view text, const Job& job, Encode encode) const;
  // `offset`: where this text begins in the whole.
  void encode_segment(std::string_view text, std::size_t offset, const Job& job) const;
  // `at_start`: at the very start of what the official library would be given (pre_tokenizer.h).
  void encode_plain(std::string_view text, std::size_t offset, bool at_start, const Job& job) const;
  std::vector<ByteRange> after_normalizing(const std::vector<ByteRange>& ranges, std::string_view text,
                                           std::size_t offset, std::string_view normal) const;
  void encode_words(std::string_view text, bool at_start, const Job& job) const;

  const AddedToken* added(TokenId id) const;
  std::string spelling(TokenId id) const;      // what the decoder is given
  bool hidden(const AddedToken& token) const;  // by skip_special
  bool has(TokenId id) const;
  std::unique_ptr<Scratch> borrow() const;
  void give_back(std::unique_ptr<Scratch> scratch) const;

  TokenizerParts parts;
  std::map<TokenId, std::size_t> added_by_id;
  TokenTrie exact, normalized;  // values: indices of parts.added
  TokenTrie spellings;          // of all of them, as they are
  mutable std::mutex mutex;     // encode() is called from many threads; each takes a scratch of its own
  mutable std::vector<std::unique_ptr<Scratch>> idle;
};

}  // namespace rung
