// How a tokenizer.json cuts texts into words → the name that GGUF has for it (tokenizer.ggml.pre).  Milestone M5.
#pragma once

#include <optional>
#include <string>
#include <string_view>
#include <vector>

namespace rung {

struct GgufPreSteps {
  std::vector<std::string> splits;  // patterns whose matches stand alone, one after the other
  bool single_digits = false;       // then every digit stands alone
  bool gpt2 = false;                // then GPT-2's own pattern
  bool nfc = false;                 // before all that
  bool ignore_merges = false;       // a word that is a token is that token
};

// None: Rung knows no name that means just this. (tokenizer_gguf.cpp, where the names are given their meaning.)
std::optional<std::string_view> gguf_pre_name(const GgufPreSteps& steps);

}  // namespace rung
