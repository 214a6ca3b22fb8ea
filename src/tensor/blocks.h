// The quantised block formats: struct, formula, size.  Milestone M5.
//
// A block is a run of values of one row that share a scale, so that each value needs only a few bits:
//
//   values   v0   v1   v2  …  v31          32 floats, 128 bytes
//   block    scale | q0 q1 q2 … q31        one f16 and 32 small integers: of four bits 18 bytes, 4.5 bits a value
//
// What comes back is value ≈ scale·q, or scale·q + min where a block is mostly on one side of zero. The k formats have
// two levels: 256 values share the f16 scale (and min) of the block, and each group of 16 or 32 of them a small integer
// that multiplies it. The iq formats say where in a table a value, or a short vector of values, stands.
// (Specification: ggml's quants.c and, in Python, the gguf package's quants.py.)
//
// How the small integers lie in their bytes looks odd and has a reason: values far apart share a byte, so that one
// shift and one mask give a register of neighbours.
//
//   Q4_0's q    byte 0: [v16 v0]   byte 1: [v17 v1]   …   byte 15: [v31 v15]        [upper four bits, lower four]
#pragma once

#include <array>
#include <cassert>
#include <cstddef>
#include <cstdint>
#include <span>
#include <string_view>

#include "base/half.h"
#include "tensor/dtype.h"

namespace rung {

// A part of a block. `unit`: how many of its bytes stay together where rows lie side by side (kernels/panels.h).
struct BlockField {
  std::string_view name;
  std::size_t bytes, unit;
  constexpr bool is_f16() const { return bytes == 2 && unit == 2; }
};
constexpr BlockField f16_field(std::string_view name) { return {name, 2, 2}; }
constexpr BlockField byte_field(std::string_view name, std::size_t bytes) { return {name, bytes, 1}; }
constexpr BlockField quant_field(std::string_view name, std::size_t bytes) { return {name, bytes, 4}; }

#pragma pack(push, 1)  // alignment 1, because a file promises none: a block may be read where it lies

// In the formats of 32 values, q[j] holds value j in its lower four bits and value j + 16 in its upper four; bit i of
// `high` is the fifth bit of value i.

// value = scale·(q − 8): 4.5 bits a value
struct BlockQ4_0 {
  f16 scale;
  std::uint8_t q[16];
  static constexpr std::array kFields{f16_field("scale"), quant_field("q", 16)};
};

// value = scale·q + min: 5 bits
struct BlockQ4_1 {
  f16 scale, min;
  std::uint8_t q[16];
  static constexpr std::array kFields{f16_field("scale"), f16_field("min"), quant_field("q", 16)};
};

// value = scale·(q − 16): 5.5 bits
struct BlockQ5_0 {
  f16 scale;
  std::uint8_t high[4];
  std::uint8_t q[16];
  static constexpr std::array kFields{f16_field("scale"), quant_field("high", 4), quant_field("q", 16)};
};

// value = scale·q + min: 6 bits
struct BlockQ5_1 {
  f16 scale, min;
  std::uint8_t high[4];
  std::uint8_t q[16];
  static constexpr std::array kFields{f16_field("scale"), f16_field("min"), quant_field("high", 4),
                                      quant_field("q", 16)};
};

// value = scale·q: 8.5 bits
struct BlockQ8_0 {
  f16 scale;
  std::int8_t q[32];
  static constexpr std::array kFields{f16_field("scale"), quant_field("q", 32)};
};

// 16 groups of 16. groups[g]: scale s in the lower four bits, min m in the upper four. Two bits a value: four values
// lie 32 apart in one byte of q.
// value = (scale·s)·q − min·m: 2.625 bits
struct BlockQ2_K {
  std::uint8_t groups[16];
  std::uint8_t q[64];
  f16 scale, min;
  static constexpr std::array kFields{byte_field("groups", 16), quant_field("q", 64), f16_field("scale"),
                                      f16_field("min")};
};

// 16 groups of 16, their scales s of six bits packed into 12 bytes. The third bit of value i is bit i/32 of
// high[i%32], set for zero or more.
// value = (scale·(s − 32))·(q − 4): 3.4375 bits
struct BlockQ3_K {
  std::uint8_t high[32];
  std::uint8_t q[64];
  std::uint8_t groups[12];
  f16 scale;
  static constexpr std::array kFields{quant_field("high", 32), quant_field("q", 64), byte_field("groups", 12),
                                      f16_field("scale")};
};

// 8 groups of 32, their scales s and mins m of six bits each packed into 12 bytes.
// value = (scale·s)·q − min·m: 4.5 bits
struct BlockQ4_K {
  f16 scale, min;
  std::uint8_t groups[12];
  std::uint8_t q[128];
  static constexpr std::array kFields{f16_field("scale"), f16_field("min"), byte_field("groups", 12),
                                      quant_field("q", 128)};
};

// The same with the fifth bit of value i in bit i/32 of high[i%32]: 5.5 bits
struct BlockQ5_K {
  f16 scale, min;
  std::uint8_t groups[12];
  std::uint8_t high[32];
  std::uint8_t q[128];
  static constexpr std::array kFields{f16_field("scale"), f16_field("min"), byte_field("groups", 12),
                                      quant_field("high", 32), quant_field("q", 128)};
};

// 16 groups of 16. Of each value four bits in q, two in high.
// value = (scale·s)·(q − 32): 6.5625 bits
struct BlockQ6_K {
  std::uint8_t q[128];
  std::uint8_t high[64];
  std::int8_t groups[16];
  f16 scale;
  static constexpr std::array kFields{quant_field("q", 128), quant_field("high", 64), byte_field("groups", 16),
                                      f16_field("scale")};
};

// Weights crowd around zero, so sixteen values that lie closer there say more than sixteen at equal distances.
inline constexpr std::int8_t kIq4Values[16] = {-127, -104, -83, -65, -49, -35, -22, -10,
                                               1,    13,   25,  38,  53,  69,  89,  113};

// value = scale·kIq4Values[q]: 4.5 bits
struct BlockIQ4_NL {
  f16 scale;
  std::uint8_t q[16];
  static constexpr std::array kFields{f16_field("scale"), quant_field("q", 16)};
};

// 8 groups of 32, each with 16 bytes of q, in which it lies as a block of 32 does. Of the groups' scales s of six bits
// the lower four are in `groups`, two a byte, the upper two in `high`.
// value = (scale·(s − 32))·kIq4Values[q]: 4.25 bits
struct BlockIQ4_XS {
  f16 scale;
  std::uint8_t high[2];
  std::uint8_t groups[4];
  std::uint8_t q[128];
  static constexpr std::array kFields{f16_field("scale"), byte_field("high", 2), byte_field("groups", 4),
                                      byte_field("q", 128)};
};

// From here on q says which vector of a grid (tensor/iq_grids.h) four or eight neighbours are, without their signs.
// Where signs take seven bits for eight values, the eighth makes the number of minus signs even.

// q and a bit of `high`: one of 512 vectors of four odd numbers up to 15; a bit of `signs` each; groups of 32.
// value = (scale·(1 + 2s))·±vector: 3.4375 bits
struct BlockIQ3_S {
  f16 scale;
  std::uint8_t q[64];
  std::uint8_t high[8];
  std::uint8_t signs[32];
  std::uint8_t groups[4];
  static constexpr std::array kFields{f16_field("scale"), byte_field("q", 64), byte_field("high", 8),
                                      byte_field("signs", 32), byte_field("groups", 4)};
};

// q: one of 256 vectors of four. For each 32 values a number of 32 bits: the signs of four times eight values in seven
// bits each, and s in the upper four.
// value = (scale·(1 + 2s)/4)·±vector: 3.0625 bits
struct BlockIQ3_XXS {
  f16 scale;
  std::uint8_t q[64];
  std::uint8_t signs[32];
  static constexpr std::array kFields{f16_field("scale"), byte_field("q", 64), byte_field("signs", 32)};
};

// q and two bits of `high`: one of 1024 vectors of eight; groups of 16, s in four bits of `groups`.
// value = (scale·(1 + 2s)/8)·±vector: 2.5625 bits
struct BlockIQ2_S {
  f16 scale;
  std::uint8_t q[32];
  std::uint8_t signs[32];
  std::uint8_t high[8];
  std::uint8_t groups[8];
  static constexpr std::array kFields{f16_field("scale"), byte_field("q", 32), byte_field("signs", 32),
                                      byte_field("high", 8), byte_field("groups", 8)};
};

// q: 32 numbers of 16 bits: one of 512 vectors of eight, and their signs in the upper seven. The rest as IQ2_S: 2.3125
// bits
struct BlockIQ2_XS {
  f16 scale;
  std::uint8_t q[64];
  std::uint8_t groups[8];
  static constexpr std::array kFields{f16_field("scale"), byte_field("q", 64), byte_field("groups", 8)};
};

// q: for each 32 values four bytes, each one of 256 vectors of eight, then 32 bits as in IQ3_XXS's `signs`. The rest as
// IQ2_S: 2.0625 bits
struct BlockIQ2_XXS {
  f16 scale;
  std::uint8_t q[64];
  static constexpr std::array kFields{f16_field("scale"), byte_field("q", 64)};
};

// q and three bits of `high`: one of 2048 vectors of eight numbers −1, 0, 1. `high`: for each 32 values 16 bits: four
// times three of the vectors, three of s, and one that is set where the shift is −1/8.
// value = (scale·(1 + 2s))·(vector ± 1/8): 1.5625 bits
struct BlockIQ1_S {
  f16 scale;
  std::uint8_t q[32];
  std::uint8_t high[16];
  static constexpr std::array kFields{f16_field("scale"), byte_field("q", 32), byte_field("high", 16)};
};

// The same with four bits of `high` for each vector: three of its number, one of its shift. `groups`: four numbers of
// 16 bits, of each four times three bits of an s (groups of 16) and, above them, four bits of the f16 scale: 1.75 bits
struct BlockIQ1_M {
  std::uint8_t q[32];
  std::uint8_t high[16];
  std::uint8_t groups[8];
  static constexpr std::array kFields{byte_field("q", 32), byte_field("high", 16), byte_field("groups", 8)};
};

// Values of −1, 0, 1 in base 3, five in a byte of q, four in one of `high`: the byte is the number as a fraction of
// 256, so that ·3 moves the next digit into the ninth bit.
// value = scale·(digit − 1): 1.6875 bits
struct BlockTQ1_0 {
  std::uint8_t q[48];
  std::uint8_t high[4];
  f16 scale;
  static constexpr std::array kFields{byte_field("q", 48), byte_field("high", 4), f16_field("scale")};
};

// The same in two bits a value, which lie as in Q2_K: 2.0625 bits
struct BlockTQ2_0 {
  std::uint8_t q[64];
  f16 scale;
  static constexpr std::array kFields{quant_field("q", 64), f16_field("scale")};
};

// Twice the values of a float of four bits (a sign, two bits of exponent, one of fraction), so that they are whole.
inline constexpr std::int8_t kMxfp4Values[16] = {0, 1, 2, 3, 4, 6, 8, 12, 0, -1, -2, -3, -4, -6, -8, -12};

// value = 2^(exponent − 128)·kMxfp4Values[q]: 4.25 bits (OCP Microscaling Formats 1.0)
struct BlockMXFP4 {
  std::uint8_t exponent;
  std::uint8_t q[16];
  static constexpr std::array kFields{byte_field("exponent", 1), quant_field("q", 16)};
};

#pragma pack(pop)

// The bits of 2^(exponent − 128) as f32. The two smallest are denormals.
constexpr std::uint32_t power_of_two_bits(std::uint8_t exponent) {
  return exponent < 2 ? 0x00200000u << exponent : (exponent - 1u) << 23;
}

// f.template operator()<Block>() with the block of a quantised type. Here a type meets its struct, and nowhere else.
template <class F>
constexpr decltype(auto) with_block(DType type, F&& f) {
  switch (type) {
    case DType::f32:
    case DType::f16:
    case DType::bf16: break;
    case DType::q4_0: return f.template operator()<BlockQ4_0>();
    case DType::q4_1: return f.template operator()<BlockQ4_1>();
    case DType::q5_0: return f.template operator()<BlockQ5_0>();
    case DType::q5_1: return f.template operator()<BlockQ5_1>();
    case DType::q8_0: return f.template operator()<BlockQ8_0>();
    case DType::q2_k: return f.template operator()<BlockQ2_K>();
    case DType::q3_k: return f.template operator()<BlockQ3_K>();
    case DType::q4_k: return f.template operator()<BlockQ4_K>();
    case DType::q5_k: return f.template operator()<BlockQ5_K>();
    case DType::q6_k: return f.template operator()<BlockQ6_K>();
    case DType::iq4_nl: return f.template operator()<BlockIQ4_NL>();
    case DType::iq4_xs: return f.template operator()<BlockIQ4_XS>();
    case DType::iq3_s: return f.template operator()<BlockIQ3_S>();
    case DType::iq3_xxs: return f.template operator()<BlockIQ3_XXS>();
    case DType::iq2_s: return f.template operator()<BlockIQ2_S>();
    case DType::iq2_xs: return f.template operator()<BlockIQ2_XS>();
    case DType::iq2_xxs: return f.template operator()<BlockIQ2_XXS>();
    case DType::iq1_s: return f.template operator()<BlockIQ1_S>();
    case DType::iq1_m: return f.template operator()<BlockIQ1_M>();
    case DType::tq1_0: return f.template operator()<BlockTQ1_0>();
    case DType::tq2_0: return f.template operator()<BlockTQ2_0>();
    case DType::mxfp4: return f.template operator()<BlockMXFP4>();
  }
  assert(false && "a plain type has no blocks");
  return f.template operator()<BlockQ8_0>();
}

// What a block of the type consists of, in its order; of a plain type nothing.
std::span<const BlockField> block_fields(DType type);

// out[i] = value i of a row stored as `type`, exactly as the official implementation decodes it (bit for bit).
// `row` holds row_bytes(type, out.size()) bytes, at any alignment.
void decode_row(std::span<float> out, DType type, const std::byte* row);

}  // namespace rung
