// rows of a file → panels.  Milestone M6.
#include "kernels/panels.h"

#include <array>
#include <cstdint>
#include <cstring>
#include <utility>

#include "tensor/blocks.h"
#include "tensor/coded_blocks.h"

namespace rung {

namespace {

#pragma pack(push, 1)

// Memory answers fastest to whoever reads on and on: so scales come first, and the upper bits of a half stand between
// its lower ones, in the order in which they are used.
struct PanelQ6_K {
  f16 scale;
  std::int8_t groups[16];
  struct Half {
    std::uint8_t q[32], high[32], more_q[32];
  } halves[2];
  static constexpr std::array kFields{f16_field("scale"), byte_field("groups", 16), quant_field("halves", 192)};
};

// MXFP4: a power of two is a bf16.
struct PanelMXFP4 {
  bf16 scale;
  std::uint8_t q[16];
  static constexpr std::array kFields{f16_field("scale"), quant_field("q", 16)};
};

// CodedBlock. Codes lie as in Q4_K: of values 64k + i and 64k + 32 + i the lower and the upper half of a byte. The
// table, the same for all rows, takes a byte of each.
struct PanelCoded {
  float scale;
  std::int8_t groups[16];
  std::uint8_t q[128];
  std::int8_t place_in_table;
  static constexpr std::array kFields{quant_field("scale", 4), byte_field("groups", 16), quant_field("q", 128)};
};

#pragma pack(pop)

// Bit i of `high` is the fifth bit of value i. In a panel bit g of byte j is that of value 4g + j, where quants 4g …
// 4g+3 look for it.
void spread_fifth_bits(std::uint8_t (&bytes)[4]) {
  std::uint32_t high;
  std::memcpy(&high, bytes, 4);
  std::uint32_t spread = 0;
  for (std::uint32_t j = 0; j < 4; ++j) {
    const std::uint32_t every_fourth = (high >> j) & 0x11111111u;  // bit 4g is the bit g of byte j
    std::uint32_t byte = every_fourth | (every_fourth >> 3);
    byte = (byte & 0x03030303u) | ((byte & 0x03030303u) >> 6);
    byte = (byte & 0x000f000fu) | ((byte & 0x000f000fu) >> 12);
    spread |= (byte & 0xffu) << (8 * j);
  }
  std::memcpy(bytes, &spread, 4);
}

// A block as a panel wants it, before its units are taken apart: mostly as it is.
template <class Block>
const Block& for_panel(const Block& block) {
  return block;
}
BlockQ5_0 for_panel(BlockQ5_0 block) {
  spread_fifth_bits(block.high);
  return block;
}
BlockQ5_1 for_panel(BlockQ5_1 block) {
  spread_fifth_bits(block.high);
  return block;
}
PanelQ6_K for_panel(const BlockQ6_K& block) {
  PanelQ6_K laid_out{block.scale, {}, {}};
  std::memcpy(laid_out.groups, block.groups, sizeof block.groups);
  for (std::size_t h = 0; h < 2; ++h) {
    std::memcpy(laid_out.halves[h].q, block.q + 64 * h, 32);
    std::memcpy(laid_out.halves[h].high, block.high + 32 * h, 32);
    std::memcpy(laid_out.halves[h].more_q, block.q + 64 * h + 32, 32);
  }
  return laid_out;
}
PanelMXFP4 for_panel(const BlockMXFP4& block) {
  PanelMXFP4 laid_out{bf16{static_cast<std::uint16_t>(power_of_two_bits(block.exponent) >> 16)}, {}};
  std::memcpy(laid_out.q, block.q, sizeof block.q);
  return laid_out;
}
// scale·(digit − 1) is what Q2_K calls (scale·1)·digit − scale·1.
template <class Block>
  requires requires(const Block& block) { digits(block); }
BlockQ2_K for_panel(const Block& block) {
  BlockQ2_K laid_out{{}, {}, block.scale, block.scale};
  std::memset(laid_out.groups, 0x11, sizeof laid_out.groups);
  const std::array<std::uint8_t, 256> ternary = digits(block);
  for (std::size_t i = 0; i < 256; ++i) {
    std::uint8_t& q = laid_out.q[i / 128 * 32 + i % 32];
    q = static_cast<std::uint8_t>(q | ternary[i] << (2 * (i / 32 % 4)));
  }
  return laid_out;
}
template <class Block>
  requires requires(const Block& block) { coded(block); }
PanelCoded for_panel(const Block& block) {
  const CodedBlock codes = coded(block);
  PanelCoded laid_out{codes.scale, {}, {}, 0};
  std::memcpy(laid_out.groups, codes.groups.data(), sizeof laid_out.groups);
  for (std::size_t i = 0; i < 128; ++i) {
    const std::size_t low = i / 32 * 64 + i % 32;
    laid_out.q[i] = static_cast<std::uint8_t>(codes.codes[low] | codes.codes[low + 32] << 4);
  }
  return laid_out;
}

template <class Block>
using ForPanel = std::remove_cvref_t<decltype(for_panel(std::declval<const Block&>()))>;

// What is the same for all rows and so stands beside them: a table of sixteen bytes.
template <class Block>
void put_table(std::byte*, const Block&) {}
template <class Block>
  requires requires(const Block& block) { coded(block); }
void put_table(std::byte* panel_block, const Block& block) {
  std::memcpy(panel_block + (sizeof(PanelCoded) - 1) * kPanelRows, coded(block).values, 16);
}

// The units of a row's block to their places among those of the other rows.
template <class Block>
void take_apart(std::byte* panel_block, std::size_t row, const Block& block) {
  const auto* bytes = reinterpret_cast<const std::byte*>(&block);
  const auto take = [&]<std::size_t kIndex>() {
    constexpr BlockField kField = Block::kFields[kIndex];
    constexpr std::size_t kOffset = [] {
      std::size_t offset = 0;
      for (std::size_t i = 0; i < kIndex; ++i) offset += Block::kFields[i].bytes;
      return offset;
    }();
    std::byte* to = panel_block + kOffset * kPanelRows + row * kField.unit;
    for (std::size_t u = 0; u < kField.bytes / kField.unit; ++u) {
      std::memcpy(to + u * kPanelRows * kField.unit, bytes + kOffset + u * kField.unit, kField.unit);
    }
  };
  [&]<std::size_t... kIndex>(std::index_sequence<kIndex...>) {
    (take.template operator()<kIndex>(), ...);
  }(std::make_index_sequence<Block::kFields.size()>());
}

// Block by block, so that what is written stays in the first-level cache until all its rows have come.
template <class Block>
void lay_out_blocks(std::byte* panel, const std::byte* const (&rows)[kPanelRows], std::size_t blocks) {
  for (std::size_t b = 0; b < blocks; ++b, panel += kPanelRows * sizeof(ForPanel<Block>)) {
    for (std::size_t r = 0; r < kPanelRows; ++r) {
      if (rows[r] == nullptr) continue;
      const Block& block = *reinterpret_cast<const Block*>(rows[r] + b * sizeof(Block));
      take_apart(panel, r, for_panel(block));
    }
    put_table(panel, *reinterpret_cast<const Block*>(rows[0] + b * sizeof(Block)));
  }
}

// The plain types: `together` columns of a row side by side, an odd last column by itself. A cache line's worth of a
// row at a time.
template <std::size_t kBytes, std::size_t kTogether>
void lay_out_values(std::byte* panel, const std::byte* const (&rows)[kPanelRows], std::size_t columns) {
  constexpr std::size_t kAtOnce = 64 / kBytes;
  for (std::size_t first = 0; first < columns; first += kAtOnce) {
    const std::size_t end = first + kAtOnce < columns ? first + kAtOnce : columns;
    for (std::size_t r = 0; r < kPanelRows; ++r) {
      if (rows[r] == nullptr) continue;
      for (std::size_t c = first; c < end; c += kTogether) {
        const std::size_t some = c + kTogether <= columns ? kTogether * kBytes : kBytes;
        std::memcpy(panel + c * kPanelRows * kBytes + r * some, rows[r] + kBytes * c, some);
      }
    }
  }
}

}  // namespace

std::size_t panel_bytes(DType type, std::size_t columns) {
  if (!is_quantised(type)) return kPanelRows * row_bytes(type, columns);
  const std::size_t bytes = with_block(type, []<class Block>() { return sizeof(ForPanel<Block>); });
  return kPanelRows * (columns / info(type).values_per_block) * bytes;
}

void lay_out_panel(std::byte* panel, DType type, const std::byte* const (&rows)[kPanelRows], std::size_t columns) {
  switch (type) {
    case DType::f32: return lay_out_values<4, 1>(panel, rows, columns);
    case DType::f16: return lay_out_values<2, 1>(panel, rows, columns);
    case DType::bf16: return lay_out_values<2, 2>(panel, rows, columns);
    default: break;
  }
  const std::size_t blocks = columns / info(type).values_per_block;
  with_block(type, [&]<class Block>() { lay_out_blocks<Block>(panel, rows, blocks); });
}

}  // namespace rung
