// The element types that weights come in, and how many bytes a row of each takes.  Milestones M1, M5.
#pragma once

#include <cstddef>
#include <cstdint>
#include <string_view>

namespace rung {

// Plain types hold one value a block; quantised types share scales among the values of a block (tensor/blocks.h has
// their layouts).
enum class DType : std::uint8_t { f32, f16, bf16, q4_0, q4_1, q5_0, q5_1, q8_0, q2_k, q3_k, q4_k, q5_k, q6_k };

struct DTypeInfo {
  std::string_view name;  // "q4_k": the same in help, errors and pages
  std::size_t values_per_block;
  std::size_t bytes_per_block;
};

const DTypeInfo& info(DType type);

// Bytes of a row of `values` values. `values` must be a multiple of the block: the readers in files/ have checked it.
inline std::size_t row_bytes(DType type, std::size_t values) {
  const DTypeInfo& i = info(type);
  return values / i.values_per_block * i.bytes_per_block;
}

}  // namespace rung
