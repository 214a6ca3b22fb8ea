// The quantised block formats: struct, formula, size.  Milestone M5.
#pragma once

#include <cstddef>
#include <span>

#include "tensor/dtype.h"

namespace rung {

// out[i] = value i of a row stored as `type`, exactly as the official implementation decodes it (bit for bit).
// `row` holds row_bytes(type, out.size()) bytes, at any alignment.
void decode_row(std::span<float> out, DType type, const std::byte* row);

}  // namespace rung
