// Cosines and sines of RoPE's angles, computed once for a position.  Milestone M6.
#pragma once

#include <cstddef>
#include <vector>

#include "ops/ops.h"

namespace rung {

// All layers turn by the same angles, and every token's by those of one more position: so they are kept.
class RopeTable {
 public:
  // Position p turns by row p: [head_dim / 2] cosines, then as many sines. At least `positions` rows; valid until the
  // next call.
  const float* rows(const Rope& rope, std::size_t positions);

 private:
  struct Entry {
    // found by what they are: a model may be gone, and another have its address
    std::vector<float> inverse_frequencies;
    float magnitude;
    std::vector<float> rows;
  };
  Entry& entry(const Rope& rope);

  std::vector<Entry> entries_;
};

}  // namespace rung
