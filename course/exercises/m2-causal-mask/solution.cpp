#include "learn.h"

// scores: [tokens, keys], in place
// Row t is the token at position first + t, column j
// the key at position j.
// What a token may not see becomes −∞.
void causal_mask(std::span<float> scores, std::size_t tokens, std::size_t keys, std::size_t first) {
  for (std::size_t t = 0; t < tokens; ++t) {
    for (std::size_t j = first + t + 1; j < keys; ++j) {
      scores[t * keys + j] = -std::numeric_limits<float>::infinity();
    }
  }
}
