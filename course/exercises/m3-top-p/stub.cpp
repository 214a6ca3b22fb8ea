#include "learn.h"

// shares[V], V ≥ 1, together 1; 0 < p ≤ 1.
// Result: the ids of the likeliest that reach p together; ascending.  p = 1: all.
std::vector<std::int32_t> top_p(std::span<const float> shares, float p) {
  not_yet("top_p");
}
