// logits[V] → the next token.  Milestone M3.
#pragma once

#include <cstdint>
#include <optional>
#include <span>
#include <vector>

#include "engine/random.h"

namespace rung {

// In the order and meaning of transformers' logits processors: repetition penalty, temperature, top-k, top-p, min-p.
struct Sampling {
  float temperature = 0.7f;  // 0: greedy, the likeliest
  std::size_t top_k = 0;     // keep the k likeliest (and what ties with the last); 0: all
  // keep the likeliest that together reach this mass; 1: all.  (Holtzman et al. 2020, arXiv:1904.09751)
  float top_p = 0.95f;
  // keep those at least this share of the likeliest; 0: all.  (Nguyen et al. 2024, arXiv:2407.01082)
  float min_p = 0;
  // logits of tokens seen: divided if positive, else multiplied.  (Keskar et al. 2019, arXiv:1909.05858)
  float repeat_penalty = 1;
  std::optional<std::uint64_t> seed = {};  // none: another each time
};

std::uint64_t another_seed();  // from the system, and short enough to be typed again

// Throws Error for values out of range, naming the option.
void check(const Sampling& sampling);

// Throws Error: a logit that is no number, or +infinity, or every logit -infinity.
void check_logits(std::span<const float> logits);

struct Candidate {
  std::int32_t id;
  double probability;
};

class Sampler {
 public:
  explicit Sampler(const Sampling& sampling)
      : sampling_(sampling), random_(sampling.seed ? *sampling.seed : another_seed()) {}

  // What may come next, ascending by id; probabilities sum to 1. `seen`: the ids of prompt and answer so far.
  // Throws Error when the logits are not numbers.
  std::vector<Candidate> distribution(std::span<const float> logits, std::span<const std::int32_t> seen) const;

  std::int32_t sample(std::span<const float> logits, std::span<const std::int32_t> seen);

 private:
  Sampling sampling_;
  Random random_;
};

}  // namespace rung
