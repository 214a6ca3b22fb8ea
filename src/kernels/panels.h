// Weights as the fast kernels want them: panels of 16 rows, a row a lane.  Milestone M6.
//
// A SIMD register holds 16 floats or 16 integers side by side: 16 lanes. In a file a row lies in one piece, so 16 lanes
// hold 16 products of one row, and at the end they must be added across the register, which is slow. In a panel the
// lanes belong to 16 different rows: each lane sums its own output, and nothing is ever added across. A panel has the
// very bytes of its 16 rows, in another order: the unit u of a field (four quants, a scale) of all 16 rows stands
// together,
//
//   rows:   block of row 0 [scale | q0 q1 … q31]   block of row 1 [scale | q0 … q31]   …
//   panel:  scales of rows 0…15 | q0…q3 of row 0, of row 1, … of row 15 | q4…q7 of row 0, …
//           then the next block along the rows
//
// four quants at a time, because the integer dot product of processors (vpdpbusd, sdot) adds four products into each
// lane; and two values of bf16, because theirs (vdpbf16ps) adds two:
//
//   register of quants    [q0 q1 q2 q3 | q0 q1 q2 q3 | …]    row 0's four, row 1's, … row 15's: 64 bytes, one load
//   activations           [x0 x1 x2 x3 | x0 x1 x2 x3 | …]    the same four in every lane
//   lane r of the sums    += q0·x0 + q1·x1 + q2·x2 + q3·x3   of row r
//
// Some formats are too tightly packed for that. They are laid out as another that says the same exactly: the ternary
// ones as Q2_K, those of vectors from a grid as codes into a table of sixteen (tensor/coded_blocks.h); then a panel is
// larger than its rows were, 1.1 times (IQ4_XS) to 3 times (IQ1_S).
#pragma once

#include <cstddef>
#include <cstdint>

#include "tensor/dtype.h"

namespace rung {

inline constexpr std::size_t kPanelRows = 16;

// Of 16 rows. Where the layout has the very bytes of the rows: 16·row_bytes(type, columns).
std::size_t panel_bytes(DType type, std::size_t columns);
inline std::size_t panel_count(std::size_t rows) { return (rows + kPanelRows - 1) / kPanelRows; }

// panel (zeroed memory) ← 16 rows of `columns` values. A row that is nullptr is past the last one: it stays zero.
void lay_out_panel(std::byte* panel, DType type, const std::byte* const (&rows)[kPanelRows], std::size_t columns);

// 32 activations as eight-bit integers: x[i] ≈ scale·q[i]. Products with quantised weights are then integer sums, exact
// in any order.
struct ActivationBlock {
  std::int8_t q[32];
  float scale;               // the largest magnitude / 127
  float sum;                 // scale·Σq: what a weight's min is multiplied by
  std::int32_t minus_sum;    // -Σq: times 8, 16, … it takes an unsigned weight's offset back
  std::int32_t minus_first;  // the same of the first 16, for formats whose groups are 16 wide
};
static_assert(sizeof(ActivationBlock) == 48);

// Whether linear layers of this type take ActivationBlocks; the plain types take floats, or bf16 where a set rounds to
// it (kernels.h).
constexpr bool takes_blocks(DType type) { return is_quantised(type); }

}  // namespace rung
