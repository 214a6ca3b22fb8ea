// tokenizer.json → the lists by which a GGUF file says the same: the way back of tokenizer_gguf.cpp.  Milestone M5.
#pragma once

#include <cstddef>
#include <cstdint>
#include <optional>
#include <string>
#include <string_view>
#include <vector>

namespace rung {

struct GgufVocabulary {
  std::string model;                // "gpt2": byte-level, with merges; "llama": characters, with scores
  std::string pre;                  // how texts are cut into words
  std::vector<std::string> tokens;  // by id, without gaps
  std::vector<std::int32_t> types;  // of each: a GgufTokenType
  std::vector<std::string> merges;  // "left right", best first
  std::vector<float> scores;        // of each token, the greater merges first
  bool add_space_prefix = false;
};

// `where` names the file in errors. `tokens`: how many the model has; what the tokenizer leaves of them is filled up,
// and tokens beyond them, which no model can read, are left out.
// `pre`: instead of the name that would be found. Throws Error: a tokenizer that GGUF has no words for would be another
// one there, which nobody would notice.
GgufVocabulary gguf_vocabulary(std::string_view tokenizer_json, const std::string& where, std::size_t tokens,
                               std::optional<std::string_view> pre = {});

}  // namespace rung
