// 256 values as codes of four bits: what every iq format of such blocks can be taken apart to.  Milestone M5.
//
// Their vectors consist of few numbers, of either sign: at most sixteen in all. So a value is a code, whose meaning is
// in a table of sixteen, times the scale of its group:
//
//   value i = (scale·groups[i / 16])·values[codes[i]]
//
// Scale and group have so few bits that every product is exact: the result is the official one, whatever its order.
#pragma once

#include <array>
#include <cstdint>

#include "tensor/blocks.h"

namespace rung {

struct CodedBlock {
  float scale;
  std::array<std::int8_t, 16> groups;
  std::array<std::uint8_t, 256> codes;
  const std::int8_t* values;  // [16]
};

CodedBlock coded(const BlockIQ4_XS& block);
CodedBlock coded(const BlockIQ3_S& block);
CodedBlock coded(const BlockIQ3_XXS& block);
CodedBlock coded(const BlockIQ2_S& block);
CodedBlock coded(const BlockIQ2_XS& block);
CodedBlock coded(const BlockIQ2_XXS& block);
CodedBlock coded(const BlockIQ1_S& block);
CodedBlock coded(const BlockIQ1_M& block);

// The digits of a block in base 3: 0, 1, 2.
std::array<std::uint8_t, 256> digits(const BlockTQ1_0& block);
std::array<std::uint8_t, 256> digits(const BlockTQ2_0& block);

}  // namespace rung
