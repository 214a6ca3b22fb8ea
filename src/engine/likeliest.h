// logits[V] → the tokens that are likeliest to come next.  Milestone M2.
#pragma once

#include <cstddef>
#include <span>
#include <vector>

#include "text/tokenizer.h"

namespace rung {

struct Likely {
  TokenId id;
  float logit;
  double probability;  // softmax over the whole row
};

// The likeliest `count` of a row, best first; of equal ones the lower id.
std::vector<Likely> likeliest(std::span<const float> logits, std::size_t count);

}  // namespace rung
