// logits[V] → the next token.  Milestone M3.
//
//   logits ─ rules: what may not come, what shall come less ─ temperature ─ top-k ─ top-p ─ min-p ─ a draw → id
//
// All in transformers' order. At temperature 0 the likeliest token that the rules left is taken, and nothing drawn.
#pragma once

#include <cstdint>
#include <set>
#include <span>
#include <utility>
#include <vector>

#include "engine/random.h"
#include "engine/sampling.h"

namespace rung {

// What the rules go by.
struct SoFar {
  std::span<const TokenId> tokens = {};  // of prompt and answer
  std::size_t prompt_tokens = 0;         // how many of them are the prompt
  bool is_last = false;                  // no token may follow the next one
  std::span<const TokenId> answer() const { return tokens.subspan(prompt_tokens); }
};

// Throws Error: a logit that is no number, or +infinity, or every logit -infinity.
void check_logits(std::span<const float> logits);

struct Candidate {
  TokenId id;
  double probability;
};

class Sampler {
 public:
  // `ends`: the tokens that end an answer, which min_tokens holds back.
  explicit Sampler(const Sampling& sampling, std::set<TokenId> ends = {})
      : sampling_(sampling), ends_(std::move(ends)), random_(sampling.seed ? *sampling.seed : another_seed()) {}

  // What may come next, ascending by id; probabilities sum to 1. Throws Error: the logits are no numbers, or the rules
  // left nothing.
  std::vector<Candidate> distribution(std::span<const float> logits, const SoFar& so_far = {}) const;

  TokenId sample(std::span<const float> logits, const SoFar& so_far = {});

 private:
  Sampling sampling_;
  std::set<TokenId> ends_;
  Random random_;
};

}  // namespace rung
