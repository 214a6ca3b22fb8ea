#include "learn.h"

// scores: [tokens, keys], in place
// Row t is the token at position first + t, column j
// the key at position j.
// What a token may not see becomes −∞.
void causal_mask(std::span<float> scores, std::size_t tokens, std::size_t keys, std::size_t first) {
  not_yet("causal_mask");
}
