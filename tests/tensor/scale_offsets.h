// A block format → where its scales lie: what a test that makes random blocks must choose with care.  Milestone M5.
#pragma once

#include <cstddef>
#include <vector>

#include "tensor/dtype.h"

namespace rung {

// Where the f16 scales of a block lie; every other bit may be anything.
inline std::vector<std::size_t> scale_offsets(DType type) {
  switch (type) {
    case DType::q4_0:
    case DType::q5_0:
    case DType::q8_0: return {0};
    case DType::q4_1:
    case DType::q5_1:
    case DType::q4_k:
    case DType::q5_k: return {0, 2};
    case DType::q2_k: return {80, 82};
    case DType::q3_k: return {108};
    case DType::q6_k: return {208};
    default: return {};
  }
}

}  // namespace rung
