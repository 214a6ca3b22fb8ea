// Floats → rows of blocks: what decode_row (tensor/blocks.h) reads back.  Milestone M5.
#pragma once

#include <cstddef>
#include <span>

#include "tensor/dtype.h"

namespace rung {

// Writes `values` to `row` as blocks of `type`; values.size() is a multiple of the block, `row` holds row_bytes(type,
// values.size()) bytes. `type` is one that `rung quantize` chooses (convert/quantize_types.cpp): a plain one, one of 32
// values but MXFP4, Q4_K, Q5_K or Q6_K.
//
// Without `importance`, the five formats of 32 values are bit for bit what the official writers (ggml, the gguf
// package) make of the same floats. The k formats, IQ4_NL, and all formats with `importance` (one positive weight a
// column, as large as the square of what usually meets it), search for the scales that make Σ importance·(value −
// decoded)² small; where there is none, these and IQ4_NL take every column for alike.
//
// A value that is no number, infinite, or too large for the format's f16 scale makes its block worthless, but does no
// other harm: who cares looks at the values before and at what decode_row gives after.
void encode_row(std::byte* row, DType type, std::span<const float> values, std::span<const float> importance = {});

}  // namespace rung
