// Tokens, one at a time → text. The steps of a tokenizer's decoder, each a machine that may hold back what it cannot
// judge yet, so that one and the same code decodes a whole list and a stream.  Milestone M0.
#pragma once

#include <string>
#include <string_view>
#include <variant>
#include <vector>

#include "base/utf8.h"
#include "text/pattern.h"

namespace rung {

struct DecodeByteLevel {};  // "Ġthe" → " the"
// <0xE2> <0x96> <0x81> → "▁"; a run of bytes that is no valid UTF-8 becomes a U+FFFD each
struct DecodeByteFallback {};
struct DecodeFuse {};  // what follows sees one token
struct DecodeReplace {
  Pattern pattern;
  std::string content;
};
struct DecodeStrip {  // up to so many of this character, at the start and the end of each token
  char32_t character;
  std::size_t start, stop;
};
struct DecodeMetaspace {
  char32_t replacement;
  bool drop_first;  // the mark that was put in front of the text
};
struct DecodeJoin {};  // no decoder at all: a space between tokens
using DecoderStep = std::variant<DecodeByteLevel, DecodeByteFallback, DecodeFuse, DecodeReplace, DecodeStrip,
                                 DecodeMetaspace, DecodeJoin>;

class Decoder {
 public:
  void add(DecoderStep step) { steps_.push_back(std::move(step)); }
  const std::vector<DecoderStep>& steps() const { return steps_; }

  class Stream {
   public:
    explicit Stream(const Decoder& decoder);
    // `token` by its vocabulary's spelling; or, `raw`, the bytes that a byte-level spelling stands for (the first step
    // must be ByteLevel).
    void push(std::string_view token, bool raw, std::string& out);
    // Before the first push: there was text before, and nothing is taken for its beginning.
    void go_on();
    void finish(std::string& out);

   private:
    struct State {
      bool streaming = false;  // Fuse, ByteLevel and Strip: pieces pass through, and count as one token
      bool started = false;
      std::string held;
      std::size_t stripped = 0;
      LossyUtf8 lossy;
    };
    void feed(std::size_t step, std::string_view token, std::string& out);
    void flush(std::size_t step, std::string& out);
    void feed_byte(std::size_t step, std::string_view token, std::string& out);
    void strip_start(std::size_t step, const DecodeStrip& s, std::string_view token, std::string& out);

    const Decoder& decoder_;
    std::vector<State> states_;
    LossyUtf8 lossy_;  // a vocabulary (GGUF) may hold tokens that are no valid UTF-8
  };

 private:
  std::vector<DecoderStep> steps_;
};

// <0x41> → 0x41; nullopt: not the spelling of a byte (<0x-1>, <0xZZ>, …).
std::optional<unsigned char> byte_token_value(std::string_view token);

}  // namespace rung
