// tokenizer.ggml.pre, the name by which a GGUF file says how texts are cut into words ↔ the steps that it stands for.
// Milestone M0.
#pragma once

#include <cstdint>
#include <optional>
#include <span>
#include <string>
#include <string_view>
#include <vector>

#include "text/pre_tokenizer.h"
#include "text/unicode.h"

namespace rung {

struct GgufPre {
  // One way to cut. What is cut out stands alone, or, `with_next`, goes with what follows it.
  struct Cut {
    enum class At : std::uint8_t {
      pattern,      // the matches of a regular expression
      each_digit,   // single digits
      digits,       // runs of them
      punctuation,  // runs of punctuation
      gpt2          // the matches of GPT-2's own pattern
    };
    At at = At::pattern;
    std::string pattern = {};
    bool with_next = false;
    bool operator==(const Cut&) const = default;
  };

  std::vector<std::string_view> names;
  std::vector<Cut> cuts;                          // each cuts the pieces of the one before
  std::optional<NormalForm> form = std::nullopt;  // before all that
  bool ignore_merges = false;                     // a word that is a token is that token
  bool adds_bos = false;                          // where the file does not say whether a BOS goes first

  // As a tokenizer.json would list them, with the byte level's own step. `add_space_prefix`: a space goes first.
  std::vector<PreTokenizerStage> stages(bool add_space_prefix) const;
};

// All names that are known, the well-known ones first.
std::span<const GgufPre> gguf_pres();

// nullptr: no such name.
const GgufPre* find_gguf_pre(std::string_view name);

// The name for what `steps` does (it needs none of its own); nullopt: Rung knows no name that means just this.
std::optional<std::string_view> gguf_pre_name(const GgufPre& steps);

}  // namespace rung
