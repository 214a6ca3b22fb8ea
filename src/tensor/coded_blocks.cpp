#include "tensor/coded_blocks.h"

#include <bit>
#include <cstddef>
#include <cstring>

#include "tensor/iq_grids.h"

namespace rung {

namespace {

// What the small numbers of the grids stand for, then the same with a minus sign.
constexpr std::int8_t kIq2Values[16] = {8, 25, 43, 0, -8, -25, -43, 0};
constexpr std::int8_t kIq3Values[16] = {4, 12, 20, 28, 36, 44, 52, 62, -4, -12, -20, -28, -36, -44, -52, -62};
constexpr std::int8_t kIq3SValues[16] = {1, 3, 5, 7, 9, 11, 13, 15, -1, -3, -5, -7, -9, -11, -13, -15};
// 8·(−1, 0, 1) + 1, then − 1
constexpr std::int8_t kIq1Values[16] = {-7, 1, 9, 0, -9, -1, 7, 0};

template <class T>
T at(const std::uint8_t* bytes, std::size_t index) {
  static_assert(std::endian::native == std::endian::little);
  T value;
  std::memcpy(&value, bytes + index * sizeof(T), sizeof(T));
  return value;
}

// Two numbers of four bits a byte, the lower first.
unsigned nibble(const std::uint8_t* bytes, std::size_t index) { return (bytes[index / 2] >> (4 * (index % 2))) & 15u; }

std::int8_t odd(unsigned s) { return static_cast<std::int8_t>(2 * s + 1); }

// The signs of eight values from seven bits: the eighth makes the number of minus signs even.
unsigned eight_signs(unsigned seven) { return seven | (static_cast<unsigned>(std::popcount(seven)) & 1u) << 7; }

// Eight codes of values 8k … 8k+7: two bits of the vector, and the third from the signs.
void put_eight(CodedBlock& out, std::size_t k, unsigned vector, unsigned signs) {
  for (unsigned i = 0; i < 8; ++i) {
    out.codes[8 * k + i] = static_cast<std::uint8_t>(((vector >> (2 * i)) & 3u) | ((signs >> i) & 1u) << 2);
  }
}

// Four codes of values 4k … 4k+3: three bits of the vector, and the fourth from the signs.
void put_four(CodedBlock& out, std::size_t k, unsigned vector, unsigned signs) {
  for (unsigned i = 0; i < 4; ++i) {
    out.codes[4 * k + i] = static_cast<std::uint8_t>(((vector >> (3 * i)) & 7u) | ((signs >> i) & 1u) << 3);
  }
}

// The same s for groups 2k and 2k + 1, where a format has groups of 32.
void put_group_of_32(CodedBlock& out, std::size_t k, std::int8_t s) { out.groups[2 * k] = out.groups[2 * k + 1] = s; }

}  // namespace

CodedBlock coded(const BlockIQ4_XS& block) {
  CodedBlock out{to_f32(block.scale), {}, {}, kIq4Values};
  const unsigned high = at<std::uint16_t>(block.high, 0);
  for (std::size_t g = 0; g < 8; ++g) {
    const unsigned s = nibble(block.groups, g) | ((high >> (2 * g)) & 3u) << 4;
    put_group_of_32(out, g, static_cast<std::int8_t>(static_cast<int>(s) - 32));
    for (std::size_t i = 0; i < 16; ++i) {
      out.codes[32 * g + i] = block.q[16 * g + i] & 15;
      out.codes[32 * g + 16 + i] = block.q[16 * g + i] >> 4;
    }
  }
  return out;
}

CodedBlock coded(const BlockIQ3_S& block) {
  CodedBlock out{to_f32(block.scale), {}, {}, kIq3SValues};
  for (std::size_t g = 0; g < 8; ++g) put_group_of_32(out, g, odd(nibble(block.groups, g)));
  for (std::size_t k = 0; k < 64; ++k) {
    const unsigned high = (block.high[k / 8] >> (k % 8)) & 1u;
    put_four(out, k, kIq3SGrid[block.q[k] | high << 8], nibble(block.signs, k));
  }
  return out;
}

CodedBlock coded(const BlockIQ3_XXS& block) {
  CodedBlock out{to_f32(block.scale) * 0.25f, {}, {}, kIq3Values};
  for (std::size_t g = 0; g < 8; ++g) {
    const auto word = at<std::uint32_t>(block.signs, g);
    put_group_of_32(out, g, odd(word >> 28));
    for (std::size_t i = 0; i < 8; ++i) {
      const unsigned signs = eight_signs((word >> (7 * (i / 2))) & 127u);
      put_four(out, 8 * g + i, kIq3XxsGrid[block.q[8 * g + i]], signs >> (4 * (i % 2)));
    }
  }
  return out;
}

CodedBlock coded(const BlockIQ2_S& block) {
  CodedBlock out{to_f32(block.scale) * 0.125f, {}, {}, kIq2Values};
  for (std::size_t g = 0; g < 16; ++g) out.groups[g] = odd(nibble(block.groups, g));
  for (std::size_t k = 0; k < 32; ++k) {
    const unsigned high = (block.high[k / 4] >> (2 * (k % 4))) & 3u;
    put_eight(out, k, kIq2SGrid[block.q[k] | high << 8], block.signs[k]);
  }
  return out;
}

CodedBlock coded(const BlockIQ2_XS& block) {
  CodedBlock out{to_f32(block.scale) * 0.125f, {}, {}, kIq2Values};
  for (std::size_t g = 0; g < 16; ++g) out.groups[g] = odd(nibble(block.groups, g));
  for (std::size_t k = 0; k < 32; ++k) {
    const unsigned word = at<std::uint16_t>(block.q, k);
    put_eight(out, k, kIq2XsGrid[word & 511u], eight_signs(word >> 9));
  }
  return out;
}

CodedBlock coded(const BlockIQ2_XXS& block) {
  CodedBlock out{to_f32(block.scale) * 0.125f, {}, {}, kIq2Values};
  for (std::size_t g = 0; g < 8; ++g) {
    const auto word = at<std::uint32_t>(block.q, 2 * g + 1);
    put_group_of_32(out, g, odd(word >> 28));
    for (std::size_t i = 0; i < 4; ++i) {
      put_eight(out, 4 * g + i, kIq2XxsGrid[block.q[8 * g + i]], eight_signs((word >> (7 * i)) & 127u));
    }
  }
  return out;
}

CodedBlock coded(const BlockIQ1_S& block) {
  CodedBlock out{to_f32(block.scale) * 0.125f, {}, {}, kIq1Values};
  for (std::size_t g = 0; g < 8; ++g) {
    const unsigned word = at<std::uint16_t>(block.high, g);
    put_group_of_32(out, g, odd((word >> 12) & 7u));
    const unsigned minus = (word & 0x8000u) != 0 ? 0xffu : 0u;
    for (std::size_t i = 0; i < 4; ++i) {
      const unsigned high = (word >> (3 * i)) & 7u;
      put_eight(out, 4 * g + i, kIq1Grid[block.q[4 * g + i] | high << 8], minus);
    }
  }
  return out;
}

CodedBlock coded(const BlockIQ1_M& block) {
  unsigned scale = 0;
  for (std::size_t i = 0; i < 4; ++i)
    scale |= static_cast<unsigned>(at<std::uint16_t>(block.groups, i) >> 12) << (4 * i);
  CodedBlock out{to_f32(f16{static_cast<std::uint16_t>(scale)}) * 0.125f, {}, {}, kIq1Values};
  for (std::size_t g = 0; g < 16; ++g) {
    out.groups[g] = odd((at<std::uint16_t>(block.groups, g / 4) >> (3 * (g % 4))) & 7u);
  }
  for (std::size_t k = 0; k < 32; ++k) {
    const unsigned high = nibble(block.high, k);
    put_eight(out, k, kIq1Grid[block.q[k] | (high & 7u) << 8], (high & 8u) != 0 ? 0xffu : 0u);
  }
  return out;
}

// 32 bytes of five digits each, digit n of all of them before digit n + 1; then 16 such; then four bytes of four.
std::array<std::uint8_t, 256> digits(const BlockTQ1_0& block) {
  constexpr unsigned kPowers[5] = {1, 3, 9, 27, 81};
  std::array<std::uint8_t, 256> out;
  std::size_t at = 0;
  const auto put = [&](const std::uint8_t* bytes, std::size_t count, std::size_t digits_each) {
    for (std::size_t n = 0; n < digits_each; ++n) {
      for (std::size_t i = 0; i < count; ++i) {
        out[at++] = static_cast<std::uint8_t>(((bytes[i] * kPowers[n]) & 255u) * 3u >> 8);
      }
    }
  };
  put(block.q, 32, 5);
  put(block.q + 32, 16, 5);
  put(block.high, 4, 4);
  return out;
}

std::array<std::uint8_t, 256> digits(const BlockTQ2_0& block) {
  std::array<std::uint8_t, 256> out;
  for (std::size_t i = 0; i < 256; ++i) {
    out[i] = static_cast<std::uint8_t>((block.q[i / 128 * 32 + i % 32] >> (2 * (i / 32 % 4))) & 3);
  }
  return out;
}

}  // namespace rung
