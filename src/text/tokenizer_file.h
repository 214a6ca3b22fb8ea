// The text of a tokenizer.json → its parts: the vocabulary and the merges as flat lists (they are nearly all of it,
// hundreds of thousands of entries), everything else as a JSON document.  Milestone M0.
#pragma once

#include <string>
#include <string_view>
#include <vector>

#include "base/json.h"
#include "text/tokenizer.h"

namespace rung {

struct TokenizerFile {
  struct Text {
    std::size_t offset, length;  // in `texts`
  };
  struct Entry {
    Text text;
    TokenId id;
  };
  struct Merge {
    Text left, right;
  };
  std::string texts;
  std::vector<Entry> vocabulary;
  std::vector<Merge> merges;
  Json rest;  // model.vocab and model.merges are null in it

  std::string_view operator[](Text t) const { return std::string_view(texts).substr(t.offset, t.length); }
};

// Throws Error: not JSON, nested too deep, an id that is no id, a merge that is no pair.
TokenizerFile read_tokenizer_file(std::string_view json, std::string_view where);

}  // namespace rung
