// cause: row-of-tokens
// fails: by-hand
#include "learn.h"

void causal_mask(std::span<float> scores, std::size_t tokens, std::size_t keys, std::size_t first) {
  for (std::size_t t = 0; t < tokens; ++t) {
    for (std::size_t j = first + t + 1; j < keys; ++j) {
      scores[t * tokens + j] = -std::numeric_limits<float>::infinity();
    }
  }
}
