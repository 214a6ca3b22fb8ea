// The element types that weights come in: names, sizes, numbers.  Milestones M1, M5.
//
// A type is described in four places and no more: its name and sizes here, its block and formula in tensor/blocks.h,
// how that is decoded in tensor/blocks.cpp (or coded_blocks.cpp), how the kernels read it in kernels/lanes/formats.h.
// Everything else (the file reader, `inspect`, panels, errors, tests) reads these.
#pragma once

#include <array>
#include <cstddef>
#include <cstdint>
#include <string_view>

namespace rung {

// Plain types hold one value a block; quantised types share scales among the values of a block (tensor/blocks.h has
// their layouts).
enum class DType : std::uint8_t {
  f32,
  f16,
  bf16,
  q4_0,
  q4_1,
  q5_0,
  q5_1,
  q8_0,
  q2_k,
  q3_k,
  q4_k,
  q5_k,
  q6_k,
  iq4_nl,
  iq4_xs,
  iq3_s,
  iq3_xxs,
  iq2_s,
  iq2_xs,
  iq2_xxs,
  iq1_s,
  iq1_m,
  tq1_0,
  tq2_0,
  mxfp4,
};

struct DTypeInfo {
  DType type;
  std::string_view name;  // "q4_k": the same in help, errors and pages
  std::size_t values_per_block;
  std::size_t bytes_per_block;
  std::uint32_t gguf_number;  // by which a GGUF file knows it
};

inline constexpr std::array kDTypes{
    DTypeInfo{DType::f32, "f32", 1, 4, 0},
    DTypeInfo{DType::f16, "f16", 1, 2, 1},
    DTypeInfo{DType::bf16, "bf16", 1, 2, 30},
    DTypeInfo{DType::q4_0, "q4_0", 32, 18, 2},
    DTypeInfo{DType::q4_1, "q4_1", 32, 20, 3},
    DTypeInfo{DType::q5_0, "q5_0", 32, 22, 6},
    DTypeInfo{DType::q5_1, "q5_1", 32, 24, 7},
    DTypeInfo{DType::q8_0, "q8_0", 32, 34, 8},
    DTypeInfo{DType::q2_k, "q2_k", 256, 84, 10},
    DTypeInfo{DType::q3_k, "q3_k", 256, 110, 11},
    DTypeInfo{DType::q4_k, "q4_k", 256, 144, 12},
    DTypeInfo{DType::q5_k, "q5_k", 256, 176, 13},
    DTypeInfo{DType::q6_k, "q6_k", 256, 210, 14},
    DTypeInfo{DType::iq4_nl, "iq4_nl", 32, 18, 20},
    DTypeInfo{DType::iq4_xs, "iq4_xs", 256, 136, 23},
    DTypeInfo{DType::iq3_s, "iq3_s", 256, 110, 21},
    DTypeInfo{DType::iq3_xxs, "iq3_xxs", 256, 98, 18},
    DTypeInfo{DType::iq2_s, "iq2_s", 256, 82, 22},
    DTypeInfo{DType::iq2_xs, "iq2_xs", 256, 74, 17},
    DTypeInfo{DType::iq2_xxs, "iq2_xxs", 256, 66, 16},
    DTypeInfo{DType::iq1_s, "iq1_s", 256, 50, 19},
    DTypeInfo{DType::iq1_m, "iq1_m", 256, 56, 29},
    DTypeInfo{DType::tq1_0, "tq1_0", 256, 54, 34},
    DTypeInfo{DType::tq2_0, "tq2_0", 256, 66, 35},
    DTypeInfo{DType::mxfp4, "mxfp4", 32, 17, 39},
};

constexpr const DTypeInfo& info(DType type) { return kDTypes[static_cast<std::size_t>(type)]; }

static_assert(
    [] {
      for (const DTypeInfo& i : kDTypes) {
        if (&info(i.type) != &i) return false;
      }
      return true;
    }(),
    "kDTypes stands in the order of the enumeration");

constexpr bool is_quantised(DType type) { return info(type).values_per_block > 1; }

// Bytes of a row of `values` values. `values` must be a multiple of the block: the readers in files/ have checked it.
inline std::size_t row_bytes(DType type, std::size_t values) {
  const DTypeInfo& i = info(type);
  return values / i.values_per_block * i.bytes_per_block;
}

}  // namespace rung
