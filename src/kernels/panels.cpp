// rows of a file → panels.  Milestone M6.
#include "kernels/panels.h"

#include <array>
#include <cstring>
#include <span>

#include "tensor/blocks.h"

namespace rung {

namespace {

// A part of a block whose units of `unit` bytes are taken apart.
struct Field {
  std::size_t offset;
  std::size_t unit;
  std::size_t count;
};

// The fields of a block, as in tensor/blocks.h: scales one by one, quants in fours.
std::span<const Field> fields_of(DType type) {
  static constexpr std::array<Field, 1> kF32{{{0, 4, 1}}};
  static constexpr std::array<Field, 1> kHalf{{{0, 2, 1}}};
  static constexpr std::array<Field, 2> kQ4_0{{{0, 2, 1}, {2, 4, 4}}};
  static constexpr std::array<Field, 3> kQ4_1{{{0, 2, 1}, {2, 2, 1}, {4, 4, 4}}};
  static constexpr std::array<Field, 3> kQ5_0{{{0, 2, 1}, {2, 4, 1}, {6, 4, 4}}};
  static constexpr std::array<Field, 4> kQ5_1{{{0, 2, 1}, {2, 2, 1}, {4, 4, 1}, {8, 4, 4}}};
  static constexpr std::array<Field, 2> kQ8_0{{{0, 2, 1}, {2, 4, 8}}};
  static constexpr std::array<Field, 4> kQ2_K{{{0, 1, 16}, {16, 4, 16}, {80, 2, 1}, {82, 2, 1}}};
  static constexpr std::array<Field, 4> kQ3_K{{{0, 4, 8}, {32, 4, 16}, {96, 1, 12}, {108, 2, 1}}};
  static constexpr std::array<Field, 4> kQ4_K{{{0, 2, 1}, {2, 2, 1}, {4, 1, 12}, {16, 4, 32}}};
  static constexpr std::array<Field, 5> kQ5_K{{{0, 2, 1}, {2, 2, 1}, {4, 1, 12}, {16, 4, 8}, {48, 4, 32}}};
  static constexpr std::array<Field, 4> kQ6_K{{{0, 4, 32}, {128, 4, 16}, {192, 1, 16}, {208, 2, 1}}};
  switch (type) {
    case DType::f32: return kF32;
    case DType::f16:
    case DType::bf16: return kHalf;
    case DType::q4_0: return kQ4_0;
    case DType::q4_1: return kQ4_1;
    case DType::q5_0: return kQ5_0;
    case DType::q5_1: return kQ5_1;
    case DType::q8_0: return kQ8_0;
    case DType::q2_k: return kQ2_K;
    case DType::q3_k: return kQ3_K;
    case DType::q4_k: return kQ4_K;
    case DType::q5_k: return kQ5_K;
    case DType::q6_k: return kQ6_K;
  }
  return {};
}

template <std::size_t kUnit>
void take_apart(std::byte* to, const std::byte* from, std::size_t count) {
  for (std::size_t u = 0; u < count; ++u) std::memcpy(to + u * kPanelRows * kUnit, from + u * kUnit, kUnit);
}

// Bit i of `high` is the fifth bit of value i. In a panel bit g of byte j is that of value 4g + j, where quants 4g … 4g+3 look for it.
void spread_fifth_bits(std::byte* at) {
  std::uint32_t high;
  std::memcpy(&high, at, 4);
  std::uint32_t spread = 0;
  for (std::uint32_t j = 0; j < 4; ++j) {
    const std::uint32_t every_fourth = (high >> j) & 0x11111111u;  // bit 4g is the bit g of byte j
    std::uint32_t byte = every_fourth | (every_fourth >> 3);
    byte = (byte & 0x03030303u) | ((byte & 0x03030303u) >> 6);
    byte = (byte & 0x000f000fu) | ((byte & 0x000f000fu) >> 12);
    spread |= (byte & 0xffu) << (8 * j);
  }
  std::memcpy(at, &spread, 4);
}

}  // namespace

void lay_out_panel(std::byte* panel, DType type, const std::byte* const (&rows)[kPanelRows], std::size_t columns) {
  const std::span<const Field> fields = fields_of(type);
  const std::size_t block_bytes = info(type).bytes_per_block;
  const std::size_t blocks = columns / info(type).values_per_block;
  for (std::size_t r = 0; r < kPanelRows; ++r) {
    if (rows[r] == nullptr) continue;
    for (std::size_t b = 0; b < blocks; ++b) {
      const std::byte* block = rows[r] + b * block_bytes;
      std::byte* laid_out = panel + b * kPanelRows * block_bytes;
      for (const Field& f : fields) {
        std::byte* to = laid_out + f.offset * kPanelRows + r * f.unit;
        if (f.unit == 4) take_apart<4>(to, block + f.offset, f.count);
        if (f.unit == 2) take_apart<2>(to, block + f.offset, f.count);
        if (f.unit == 1) take_apart<1>(to, block + f.offset, f.count);
      }
      if (type == DType::q5_0) spread_fifth_bits(laid_out + 2 * kPanelRows + 4 * r);
      if (type == DType::q5_1) spread_fifth_bits(laid_out + 4 * kPanelRows + 4 * r);
    }
  }
}

}  // namespace rung
