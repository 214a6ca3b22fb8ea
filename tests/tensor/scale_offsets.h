// A block format → where its scales lie: what a test that makes random blocks must choose with care.  Milestone M5.
#pragma once

#include <cmath>
#include <cstddef>
#include <cstdint>
#include <cstring>
#include <vector>

#include "base/half.h"
#include "tensor/blocks.h"

namespace rung {

// Where the f16 scales of a block lie; every other bit may be anything.
inline std::vector<std::size_t> scale_offsets(DType type) {
  std::vector<std::size_t> offsets;
  std::size_t at = 0;
  for (const BlockField& field : block_fields(type)) {
    if (field.is_f16()) offsets.push_back(at);
    at += field.bytes;
  }
  return offsets;
}

// Makes all scales of a block next_scale(). Two types keep theirs in other ways: IQ1_M an f16 in four pieces, MXFP4 a
// power of two.
template <class NextScale>
void set_scales(std::byte* block, DType type, NextScale next_scale) {
  for (const std::size_t offset : scale_offsets(type)) {
    const f16 scale = to_f16(next_scale());
    std::memcpy(block + offset, &scale, sizeof scale);
  }
  if (type == DType::iq1_m) {
    const std::uint16_t scale = to_f16(next_scale()).bits;
    for (std::size_t i = 0; i < 4; ++i) {
      std::byte& upper = block[48 + 2 * i + 1];
      upper = (upper & std::byte{15}) | static_cast<std::byte>(((scale >> (4 * i)) & 15) << 4);
    }
  }
  if (type == DType::mxfp4) {
    const float scale = std::fabs(next_scale());
    block[0] = static_cast<std::byte>(scale > 0 ? std::ilogb(scale) + 128 : 0);
  }
}

}  // namespace rung
