// text → token ids → text, exactly as the model's official tokenizer.  Milestone M0.
#pragma once

#include <cstdint>
#include <functional>
#include <memory>
#include <optional>
#include <set>
#include <span>
#include <string>
#include <string_view>
#include <vector>

#include "files/folder.h"
#include "text/byte_range.h"

namespace rung {

class Gguf;
using TokenId = std::int32_t;

// Who wrote what of a rendered chat, as far as it was not the template. Lists of ranges are sorted and disjoint.
struct Untrusted {
  std::vector<ByteRange> typed;  // by a person: an added token of `forbidden` is not matched where it touches these
  std::vector<ByteRange>
      spoken;  // by the assistant: a special one of `forbidden` is not matched where it touches these
  std::set<TokenId> forbidden;
  // Ranges whose ids are known, because the model itself wrote them: taken as they are.
  struct Known {
    ByteRange range;
    std::vector<TokenId> ids;
  };
  std::vector<Known> known;
};

struct EncodeOptions {
  bool add_special = true;  // what the post-processor adds (BOS, EOS), as tokenizers' add_special_tokens
  const Untrusted* untrusted = nullptr;
};

// One merge of --explain: `left` and `right` became `left + right`. Lower rank merges first.
struct MergeStep {
  std::string left;
  std::string right;
  std::int64_t rank;
};

class Tokenizer {
 public:
  // A Hugging Face tokenizer.json (with what tokenizer_config.json beside it adds, where that changes ids). Throws
  // Error.
  static Tokenizer from_folder(const Folder& folder);
  static Tokenizer from_json(std::string_view tokenizer_json, std::string_view where);
  // The tokenizer in a GGUF's metadata. `pre` overrides tokenizer.ggml.pre (--pre NAME). Throws Error: never a guess.
  static Tokenizer from_gguf(const Gguf& gguf, std::optional<std::string_view> pre = {});

  Tokenizer(Tokenizer&&) noexcept;
  Tokenizer& operator=(Tokenizer&&) noexcept;
  ~Tokenizer();

  std::vector<TokenId> encode(std::string_view text, const EncodeOptions& options = {}) const;
  // An id that no token has stands for nothing, here and in piece(): models have rows that their tokenizer does not
  // name.
  std::string decode(std::span<const TokenId> ids, bool skip_special = false) const;
  std::vector<MergeStep> explain(std::string_view text) const;

  std::size_t vocab_size() const;  // the highest id + 1
  // the bytes that this token stands for (added tokens: their content)
  std::string piece(TokenId id) const;
  // by the vocabulary's own spelling ("Ġthe", "▁the", "<|im_end|>")
  std::optional<TokenId> id_of(std::string_view token) const;
  bool is_added(TokenId id) const;
  bool is_special(TokenId id) const;  // a control token: hidden by skip_special
  std::vector<TokenId> added_tokens() const;

  std::optional<TokenId> bos() const;
  // as the tokenizer's files say; a model may stop at more (engine/)
  std::optional<TokenId> eos() const;
  bool adds_bos() const;        // whether encode() with add_special puts one first
  std::string summary() const;  // one line for `rung inspect`: model, pre-tokenizer, size

  // Turns ids into text one at a time and never gives half a character: bytes wait until the character that they belong
  // to is whole. finish() gives what is left (U+FFFD for a character that never became whole). Concatenated, the pieces
  // equal decode() of the whole.
  class Stream {
   public:
    // `before`: the tokens that the text goes on from. A first space, which a decoder takes for the mark that was put
    // in front of a text, then belongs to the text (tokenizers#1274): "Once upon" goes on with " a time".
    explicit Stream(const Tokenizer& tokenizer, bool skip_special = true, std::span<const TokenId> before = {});
    ~Stream();
    Stream(Stream&&) noexcept;
    std::string push(TokenId id);
    std::string finish();

   private:
    struct State;
    std::unique_ptr<State> state_;
  };

 private:
  struct Impl;
  explicit Tokenizer(std::unique_ptr<Impl> impl);
  std::unique_ptr<Impl> impl_;
};

}  // namespace rung
