// cause: no-infinity
// fails: by-hand
#include "learn.h"

void causal_mask(std::span<float> scores, std::size_t tokens, std::size_t keys, std::size_t first) {
  for (std::size_t t = 0; t < tokens; ++t) {
    for (std::size_t j = 0; j < keys; ++j) {
      if (j > first + t) scores[t * keys + j] = -1e9f;
    }
  }
}
