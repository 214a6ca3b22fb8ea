// How the next token is chosen: the settings, and by which names files and options call them.  Milestone M3.
#pragma once

#include <cstddef>
#include <cstdint>
#include <optional>
#include <span>
#include <variant>
#include <vector>

#include "text/tokenizer.h"

namespace rung {

// In the meaning of transformers' logits processors, and of OpenAI's API where these have none.
struct Sampling {
  float temperature = 0.7f;  // 0: greedy, the likeliest
  std::size_t top_k = 0;     // keep the k likeliest (and what ties with the last); 0: all
  // keep the likeliest that together reach this mass; 1: all.  (Holtzman et al. 2020, arXiv:1904.09751)
  float top_p = 0.95f;
  // keep those at least this share of the likeliest; 0: all.  (Nguyen et al. 2024, arXiv:2407.01082)
  float min_p = 0;
  // logits of tokens seen: divided if positive, else multiplied.  (Keskar et al. 2019, arXiv:1909.05858)
  float repeat_penalty = 1;
  float presence_penalty = 0;   // taken from the logit of each token that the answer holds already …
  float frequency_penalty = 0;  // … and this once for every time it does
  std::size_t no_repeat_ngram =
      0;                       // so many tokens in a row come only once, in prompt and answer; 0: as often as may be
  std::size_t min_tokens = 0;  // of the answer, before it may end
  std::size_t min_length = 0;  // of prompt and answer, before it may end
  std::vector<TokenId> suppress = {};                // never these
  std::vector<TokenId> begin_suppress = {};          // never these as the answer's first
  std::vector<std::vector<TokenId>> bad_words = {};  // never one of these after the other
  std::vector<TokenId> forced_end = {};              // one of these is the last token that the limit allows; empty: any
  std::optional<std::uint64_t> seed = {};            // none: another each time
};

// One number of Sampling. Whoever reads, writes, checks or explains them goes by sampling_settings(): a new one is a
// member above, a row of that table, and a rule in sampler.cpp.
struct SamplingSetting {
  const char* name;      // "top-k": the option is --top-k
  const char* json_key;  // in generation_config.json; nullptr: it has none
  const char* gguf_key;  // in a GGUF's metadata; nullptr: it has none
  std::variant<float Sampling::*, std::size_t Sampling::*> member;
  // What transformers takes with do_sample where the key is absent. None: the setting is a rule for greedy, too, and
  // does not ask for do_sample.
  std::optional<double> drawing;
  bool (*allows)(double);
  const char* expected;  // what `allows` allows, in words
  const char* unit;      // how the help calls the value
  const char* help;

  bool is_count() const { return std::holds_alternative<std::size_t Sampling::*>(member); }
  double get(const Sampling& sampling) const;
  void set(Sampling& sampling, double value) const;  // a count below 0 is 0
};
std::span<const SamplingSetting> sampling_settings();

std::uint64_t another_seed();  // from the system, and short enough to be typed again

// Throws Error for values out of range, naming the option.
void check(const Sampling& sampling);

}  // namespace rung
