// The k formats, whose blocks of 256 have scales at two levels: floats → blocks.  Milestone M5.
#pragma once

#include <cstddef>
#include <span>

#include "tensor/dtype.h"

namespace rung {

// encode_row for q4_k, q5_k and q6_k.
void encode_k_row(std::byte* row, DType type, std::span<const float> values, std::span<const float> importance);

}  // namespace rung
