// The quantised block formats: struct, formula, size.  Milestone M5.
//
// A block is a run of values of one row that share a scale, so that each value needs only a few bits. `min` is a shift.
// The k formats have two levels: 256 values share the f16 scale (and min) of the block, and each group of 16 or 32 of
// them a small integer that multiplies it.
#pragma once

#include <cstddef>
#include <cstdint>
#include <span>

#include "base/half.h"
#include "tensor/dtype.h"

namespace rung {

#pragma pack(push, 1)  // alignment 1, because a file promises none: a block may be read where it lies

// clang-format off
// In the five formats of 32 values, q[j] holds value j in its lower four bits and value j + 16 in its upper four;
// bit i of `high` is the fifth bit of value i.
// value = scale·(q − 8): 4.5 bits per weight
struct BlockQ4_0 { f16 scale; std::uint8_t q[16]; };
struct BlockQ4_1 { f16 scale, min; std::uint8_t q[16]; };                            // value = scale·q + min: 5 bits
struct BlockQ5_0 { f16 scale; std::uint8_t high[4]; std::uint8_t q[16]; };           // value = scale·(q − 16): 5.5 bits
struct BlockQ5_1 { f16 scale, min; std::uint8_t high[4]; std::uint8_t q[16]; };      // value = scale·q + min: 6 bits
struct BlockQ8_0 { f16 scale; std::int8_t q[32]; };                                  // value = scale·q: 8.5 bits

static_assert(sizeof(BlockQ4_0) == 18);
static_assert(sizeof(BlockQ4_1) == 20);
static_assert(sizeof(BlockQ5_0) == 22);
static_assert(sizeof(BlockQ5_1) == 24);
static_assert(sizeof(BlockQ8_0) == 34);

// 16 groups of 16. groups[g]: scale in the lower four bits, min in the upper four. Two bits a value: four values lie
// 32 apart in one byte of q.
// value = (scale·s)·q − min·m: 2.625 bits
struct BlockQ2_K { std::uint8_t groups[16]; std::uint8_t q[64]; f16 scale, min; };

// 16 groups of 16, their scales s of six bits packed into 12 bytes. The third bit of value i is bit i/32 of
// high[i%32], set for zero or more.
// value = (scale·(s − 32))·(q − 4): 3.4375 bits
struct BlockQ3_K { std::uint8_t high[32]; std::uint8_t q[64]; std::uint8_t groups[12]; f16 scale; };

// 8 groups of 32, their scales s and mins m of six bits each packed into 12 bytes.
// value = (scale·s)·q − min·m: 4.5 bits
struct BlockQ4_K { f16 scale, min; std::uint8_t groups[12]; std::uint8_t q[128]; };
// The same with the fifth bit of value i in bit i/32 of high[i%32]: 5.5 bits
struct BlockQ5_K { f16 scale, min; std::uint8_t groups[12]; std::uint8_t high[32]; std::uint8_t q[128]; };

// 16 groups of 16. Of each value four bits in q, two in high.
// value = (scale·s)·(q − 32): 6.5625 bits
struct BlockQ6_K { std::uint8_t q[128]; std::uint8_t high[64]; std::int8_t groups[16]; f16 scale; };

#pragma pack(pop)
// clang-format on

static_assert(sizeof(BlockQ2_K) == 84);
static_assert(sizeof(BlockQ3_K) == 110);
static_assert(sizeof(BlockQ4_K) == 144);
static_assert(sizeof(BlockQ5_K) == 176);
static_assert(sizeof(BlockQ6_K) == 210);

// out[i] = value i of a row stored as `type`, exactly as the official implementation decodes it (bit for bit).
// `row` holds row_bytes(type, out.size()) bytes, at any alignment.
void decode_row(std::span<float> out, DType type, const std::byte* row);

}  // namespace rung
