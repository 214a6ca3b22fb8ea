// rows of a file → panels.  Milestone M6.
#include "kernels/panels.h"

#include <array>
#include <cstdint>
#include <cstring>
#include <utility>

#include "tensor/blocks.h"

namespace rung {

namespace {

// A part of a block whose units of `unit` bytes are taken apart; `to`: where it goes, where it does not stay in its
// place.
struct Field {
  static constexpr std::size_t kStays = SIZE_MAX;
  std::size_t offset;
  std::size_t unit;
  std::size_t count;
  std::size_t to = kStays;
};

// The fields of a block, as in tensor/blocks.h: scales one by one, quants in fours.
template <DType kType>
constexpr auto kFields = std::array<Field, 0>{};
template <>
constexpr std::array<Field, 1> kFields<DType::f32>{{{0, 4, 1}}};
template <>
constexpr std::array<Field, 1> kFields<DType::f16>{{{0, 2, 1}}};
template <>
constexpr std::array<Field, 2> kFields<DType::q4_0>{{{0, 2, 1}, {2, 4, 4}}};
template <>
constexpr std::array<Field, 3> kFields<DType::q4_1>{{{0, 2, 1}, {2, 2, 1}, {4, 4, 4}}};
template <>
constexpr std::array<Field, 3> kFields<DType::q5_0>{{{0, 2, 1}, {2, 4, 1}, {6, 4, 4}}};
template <>
constexpr std::array<Field, 4> kFields<DType::q5_1>{{{0, 2, 1}, {2, 2, 1}, {4, 4, 1}, {8, 4, 4}}};
template <>
constexpr std::array<Field, 2> kFields<DType::q8_0>{{{0, 2, 1}, {2, 4, 8}}};
template <>
constexpr std::array<Field, 4> kFields<DType::q2_k>{{{0, 1, 16}, {16, 4, 16}, {80, 2, 1}, {82, 2, 1}}};
template <>
constexpr std::array<Field, 4> kFields<DType::q3_k>{{{0, 4, 8}, {32, 4, 16}, {96, 1, 12}, {108, 2, 1}}};
template <>
constexpr std::array<Field, 4> kFields<DType::q4_k>{{{0, 2, 1}, {2, 2, 1}, {4, 1, 12}, {16, 4, 32}}};
template <>
constexpr std::array<Field, 5> kFields<DType::q5_k>{{{0, 2, 1}, {2, 2, 1}, {4, 1, 12}, {16, 4, 8}, {48, 4, 32}}};
// Memory answers fastest to whoever reads on and on: so scales come first, and the upper bits of a half stand between
// its lower ones, in the order in which they are used.
template <>
constexpr std::array<Field, 8> kFields<DType::q6_k>{{{208, 2, 1, 0},
                                                     {192, 1, 16, 2},
                                                     {0, 4, 8, 18},
                                                     {128, 4, 8, 50},
                                                     {32, 4, 8, 82},
                                                     {64, 4, 8, 114},
                                                     {160, 4, 8, 146},
                                                     {96, 4, 8, 178}}};

template <DType kType, std::size_t kIndex>
void take_apart(std::byte* panel, std::size_t row, const std::byte* block) {
  constexpr Field kField = kFields<kType>[kIndex];
  std::byte* to = panel + (kField.to == Field::kStays ? kField.offset : kField.to) * kPanelRows + row * kField.unit;
  const std::byte* from = block + kField.offset;
  for (std::size_t u = 0; u < kField.count; ++u) {
    std::memcpy(to + u * kPanelRows * kField.unit, from + u * kField.unit, kField.unit);
  }
}

// Bit i of `high` is the fifth bit of value i. In a panel bit g of byte j is that of value 4g + j, where quants 4g …
// 4g+3 look for it.
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

// Block by block, so that what is written stays in the first-level cache until all its rows have come.
template <DType kType>
void lay_out(std::byte* panel, const std::byte* const (&rows)[kPanelRows], std::size_t columns) {
  const std::size_t block_bytes = info(kType).bytes_per_block, blocks = columns / info(kType).values_per_block;
  // The plain types have a value a block: a cache line's worth of a row at a time.
  const std::size_t at_once = kFields<kType>.size() == 1 ? 64 / block_bytes : 1;
  for (std::size_t first = 0; first < blocks; first += at_once) {
    const std::size_t end = first + at_once < blocks ? first + at_once : blocks;
    for (std::size_t r = 0; r < kPanelRows; ++r) {
      if (rows[r] == nullptr) continue;
      for (std::size_t b = first; b < end; ++b) {
        std::byte* laid_out = panel + b * kPanelRows * block_bytes;
        [&]<std::size_t... kIndex>(std::index_sequence<kIndex...>) {
          (take_apart<kType, kIndex>(laid_out, r, rows[r] + b * block_bytes), ...);
        }(std::make_index_sequence<kFields<kType>.size()>());
        if (kType == DType::q5_0) spread_fifth_bits(laid_out + 2 * kPanelRows + 4 * r);
        if (kType == DType::q5_1) spread_fifth_bits(laid_out + 4 * kPanelRows + 4 * r);
      }
    }
  }
}

// Pairs of columns, the two values of a row side by side; an odd last column by itself.
void lay_out_pairs(std::byte* panel, const std::byte* const (&rows)[kPanelRows], std::size_t columns) {
  constexpr std::size_t kAtOnce = 32;  // columns: a cache line's worth of a row at a time
  for (std::size_t first = 0; first < columns; first += kAtOnce) {
    const std::size_t end = first + kAtOnce < columns ? first + kAtOnce : columns;
    for (std::size_t r = 0; r < kPanelRows; ++r) {
      if (rows[r] == nullptr) continue;
      for (std::size_t c = first; c < end; c += 2) {
        const std::size_t some = c + 1 < columns ? 4 : 2;  // bytes: of both, or of the last
        std::memcpy(panel + c * kPanelRows * 2 + r * some, rows[r] + 2 * c, some);
      }
    }
  }
}

}  // namespace

void lay_out_panel(std::byte* panel, DType type, const std::byte* const (&rows)[kPanelRows], std::size_t columns) {
  switch (type) {
    case DType::f32: return lay_out<DType::f32>(panel, rows, columns);
    case DType::f16: return lay_out<DType::f16>(panel, rows, columns);
    case DType::bf16: return lay_out_pairs(panel, rows, columns);
    case DType::q4_0: return lay_out<DType::q4_0>(panel, rows, columns);
    case DType::q4_1: return lay_out<DType::q4_1>(panel, rows, columns);
    case DType::q5_0: return lay_out<DType::q5_0>(panel, rows, columns);
    case DType::q5_1: return lay_out<DType::q5_1>(panel, rows, columns);
    case DType::q8_0: return lay_out<DType::q8_0>(panel, rows, columns);
    case DType::q2_k: return lay_out<DType::q2_k>(panel, rows, columns);
    case DType::q3_k: return lay_out<DType::q3_k>(panel, rows, columns);
    case DType::q4_k: return lay_out<DType::q4_k>(panel, rows, columns);
    case DType::q5_k: return lay_out<DType::q5_k>(panel, rows, columns);
    case DType::q6_k: return lay_out<DType::q6_k>(panel, rows, columns);
  }
}

}  // namespace rung
