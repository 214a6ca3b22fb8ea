#include "tensor/blocks.h"

#include <array>
#include <bit>
#include <cstring>

#include "tensor/coded_blocks.h"

namespace rung {

namespace {

// Loops of fixed length over locals, one expression each: compilers turn them into SIMD instructions by themselves,
// also for the plain SSE2 that every x86-64 has. The order of the operations is the official one, so that the rounding
// is too.

void decode(const BlockQ4_0& block, float* __restrict out) {
  const float scale = to_f32(block.scale);
  for (int i = 0; i < 16; ++i) out[i] = scale * (static_cast<float>(block.q[i] & 15) - 8.0f);
  for (int i = 0; i < 16; ++i) out[i + 16] = scale * (static_cast<float>(block.q[i] >> 4) - 8.0f);
}

void decode(const BlockQ4_1& block, float* __restrict out) {
  const float scale = to_f32(block.scale), min = to_f32(block.min);
  for (int i = 0; i < 16; ++i) out[i] = scale * static_cast<float>(block.q[i] & 15) + min;
  for (int i = 0; i < 16; ++i) out[i + 16] = scale * static_cast<float>(block.q[i] >> 4) + min;
}

// The 32 values of five bits. Eight fifth bits at a time: a multiplication copies their byte to eight places, the mask
// leaves bit k in byte k, and adding 0x7f carries whatever bit is there into the byte's top, from where it moves to its
// place.
std::array<std::uint8_t, 32> five_bits(const std::uint8_t (&high)[4], const std::uint8_t (&q)[16]) {
  static_assert(std::endian::native == std::endian::little);
  const auto spread = [](std::uint8_t byte) {
    const std::uint64_t each = (byte * 0x0101010101010101u) & 0x8040201008040201u;
    return ((each + 0x7f7f7f7f7f7f7f7fu) & 0x8080808080808080u) >> 3;
  };
  std::array<std::uint64_t, 2> low;
  std::memcpy(low.data(), q, 16);
  std::array<std::uint64_t, 4> values;
  for (std::size_t j = 0; j < 2; ++j) {
    values[j] = (low[j] & 0x0f0f0f0f0f0f0f0fu) | spread(high[j]);
    values[j + 2] = ((low[j] >> 4) & 0x0f0f0f0f0f0f0f0fu) | spread(high[j + 2]);
  }
  return std::bit_cast<std::array<std::uint8_t, 32>>(values);
}

void decode(const BlockQ5_0& block, float* __restrict out) {
  const float scale = to_f32(block.scale);
  const std::array<std::uint8_t, 32> q = five_bits(block.high, block.q);
  for (std::size_t i = 0; i < 32; ++i) out[i] = scale * (static_cast<float>(q[i]) - 16.0f);
}

void decode(const BlockQ5_1& block, float* __restrict out) {
  const float scale = to_f32(block.scale), min = to_f32(block.min);
  const std::array<std::uint8_t, 32> q = five_bits(block.high, block.q);
  for (std::size_t i = 0; i < 32; ++i) out[i] = scale * static_cast<float>(q[i]) + min;
}

void decode(const BlockQ8_0& block, float* __restrict out) {
  const float scale = to_f32(block.scale);
  for (int i = 0; i < 32; ++i) out[i] = scale * static_cast<float>(block.q[i]);
}

void decode(const BlockQ2_K& block, float* __restrict out) {
  const float scale = to_f32(block.scale), min = to_f32(block.min);
  for (int g = 0; g < 16; ++g) {  // group g: bits 2·(g/2 % 4) of 16 bytes of q
    const float group_scale = scale * static_cast<float>(block.groups[g] & 15);
    const float group_min = min * static_cast<float>(block.groups[g] >> 4);
    const std::uint8_t* q = block.q + 32 * (g / 8) + 16 * (g % 2);
    const int shift = 2 * (g / 2 % 4);
    for (int i = 0; i < 16; ++i) out[16 * g + i] = group_scale * static_cast<float>((q[i] >> shift) & 3) - group_min;
  }
}

// The lower four bits of scales 0–7 and 8–15 are the nibbles of bytes 0–7; the upper two of scales j, j+4, j+8, j+12
// lie in byte 8 + j.
int q3_group_scale(const BlockQ3_K& block, int g) {
  const int low = g < 8 ? block.groups[g] & 15 : block.groups[g - 8] >> 4;
  const int high = (block.groups[8 + g % 4] >> (2 * (g / 4))) & 3;
  return (low | (high << 4)) - 32;
}

void decode(const BlockQ3_K& block, float* __restrict out) {
  const float scale = to_f32(block.scale);
  for (int g = 0; g < 16; ++g) {
    const float group_scale = scale * static_cast<float>(q3_group_scale(block, g));
    const std::uint8_t* q = block.q + 32 * (g / 8) + 16 * (g % 2);
    const std::uint8_t* high = block.high + 16 * (g % 2);
    const int shift = 2 * (g / 2 % 4), high_shift = g / 2;
    for (int i = 0; i < 16; ++i) {
      const int value = ((q[i] >> shift) & 3) + 4 * ((high[i] >> high_shift) & 1) - 4;
      out[16 * g + i] = group_scale * static_cast<float>(value);
    }
  }
}

struct ScaleMin {
  int scale, min;
};

// Groups 0–3 have their scale in the lower six bits of bytes 0–3 and their min in those of bytes 4–7. Groups 4–7 have
// the lower four bits of both in bytes 8–11, the upper two in what bytes 0–7 have left.
ScaleMin group_scale_min(const std::uint8_t (&groups)[12], int g) {
  if (g < 4) return {groups[g] & 63, groups[g + 4] & 63};
  return {(groups[g + 4] & 15) | ((groups[g - 4] >> 6) << 4), (groups[g + 4] >> 4) | ((groups[g] >> 6) << 4)};
}

void decode(const BlockQ4_K& block, float* __restrict out) {
  const float scale = to_f32(block.scale), min = to_f32(block.min);
  // an even group is the lower four bits of 32 bytes of q, the odd one after it the upper four
  for (int g = 0; g < 8; ++g) {
    const ScaleMin group = group_scale_min(block.groups, g);
    const float group_scale = scale * static_cast<float>(group.scale), group_min = min * static_cast<float>(group.min);
    const std::uint8_t* q = block.q + 32 * (g / 2);
    const int shift = 4 * (g % 2);
    for (int i = 0; i < 32; ++i) out[32 * g + i] = group_scale * static_cast<float>((q[i] >> shift) & 15) - group_min;
  }
}

void decode(const BlockQ5_K& block, float* __restrict out) {
  const float scale = to_f32(block.scale), min = to_f32(block.min);
  for (int g = 0; g < 8; ++g) {
    const ScaleMin group = group_scale_min(block.groups, g);
    const float group_scale = scale * static_cast<float>(group.scale), group_min = min * static_cast<float>(group.min);
    const std::uint8_t* q = block.q + 32 * (g / 2);
    const int shift = 4 * (g % 2);
    for (int i = 0; i < 32; ++i) {
      const int value = ((q[i] >> shift) & 15) | (((block.high[i] >> g) & 1) << 4);
      out[32 * g + i] = group_scale * static_cast<float>(value) - group_min;
    }
  }
}

void decode(const BlockQ6_K& block, float* __restrict out) {
  const float scale = to_f32(block.scale);
  // Within each half: groups 0–3 are the lower four bits of 64 bytes of q, 4–7 the upper; all four pairs share 32 bytes
  // of high.
  for (int g = 0; g < 16; ++g) {
    const float group_scale = scale * static_cast<float>(block.groups[g]);
    const std::uint8_t* q = block.q + 64 * (g / 8) + 16 * (g % 4);
    const std::uint8_t* high = block.high + 32 * (g / 8) + 16 * (g % 2);
    const int shift = 4 * (g / 4 % 2), high_shift = 2 * (g / 2 % 4);
    for (int i = 0; i < 16; ++i) {
      const int value = ((q[i] >> shift) & 15) | (((high[i] >> high_shift) & 3) << 4);
      out[16 * g + i] = group_scale * static_cast<float>(value - 32);
    }
  }
}

void decode(const BlockIQ4_NL& block, float* __restrict out) {
  const float scale = to_f32(block.scale);
  for (int i = 0; i < 16; ++i) out[i] = scale * static_cast<float>(kIq4Values[block.q[i] & 15]);
  for (int i = 0; i < 16; ++i) out[i + 16] = scale * static_cast<float>(kIq4Values[block.q[i] >> 4]);
}

void decode(const BlockMXFP4& block, float* __restrict out) {
  const float scale = std::bit_cast<float>(power_of_two_bits(block.exponent));
  for (int i = 0; i < 16; ++i) out[i] = scale * static_cast<float>(kMxfp4Values[block.q[i] & 15]);
  for (int i = 0; i < 16; ++i) out[i + 16] = scale * static_cast<float>(kMxfp4Values[block.q[i] >> 4]);
}

// The other iq formats: tensor/coded_blocks.h.
template <class Block>
  requires requires(const Block& block) { coded(block); }
void decode(const Block& block, float* __restrict out) {
  const CodedBlock codes = coded(block);
  for (std::size_t i = 0; i < 256; ++i) {
    out[i] = codes.scale * static_cast<float>(codes.groups[i / 16]) * static_cast<float>(codes.values[codes.codes[i]]);
  }
}

template <class Block>
  requires requires(const Block& block) { digits(block); }
void decode(const Block& block, float* __restrict out) {
  const float scale = to_f32(block.scale);
  const std::array<std::uint8_t, 256> ternary = digits(block);
  for (std::size_t i = 0; i < 256; ++i) out[i] = scale * static_cast<float>(ternary[i] - 1);
}

// f16 → f32 without a branch, so that the loop becomes SIMD: the normal and the subnormal value are both computed, a
// mask of all ones or none takes one, and an exponent of all ones (infinity, NaN) stays one. (`?:` would not do:
// compilers keep float operations behind a branch.)
float f16_to_f32(std::uint16_t half) {
  const std::uint32_t magnitude = half & 0x7fffu;
  const std::uint32_t normal = (magnitude << 13) + (112u << 23);
  const auto subnormal = std::bit_cast<std::uint32_t>(static_cast<float>(static_cast<int>(magnitude)) * 0x1p-24f);
  const std::uint32_t is_subnormal = 0u - static_cast<std::uint32_t>(magnitude < 0x0400u);
  const std::uint32_t is_special = 0u - static_cast<std::uint32_t>(magnitude >= 0x7c00u);
  const std::uint32_t bits = (subnormal & is_subnormal) | (normal & ~is_subnormal) | (0x7f800000u & is_special);
  return std::bit_cast<float>(bits | (static_cast<std::uint32_t>(half & 0x8000u) << 16));
}

void decode_f16(std::span<float> out, const std::byte* row) {
  for (std::size_t i = 0; i < out.size(); ++i) {
    std::uint16_t half;
    std::memcpy(&half, row + 2 * i, 2);
    out[i] = f16_to_f32(half);
  }
}

void decode_bf16(std::span<float> out, const std::byte* row) {
  for (std::size_t i = 0; i < out.size(); ++i) {
    bf16 half;
    std::memcpy(&half, row + 2 * i, 2);
    out[i] = to_f32(half);
  }
}

}  // namespace

void decode_row(std::span<float> out, DType type, const std::byte* row) {
  if (out.empty()) return;
  switch (type) {
    case DType::f32: std::memcpy(out.data(), row, out.size_bytes()); return;
    case DType::f16: decode_f16(out, row); return;
    case DType::bf16: decode_bf16(out, row); return;
    default: break;
  }
  const std::size_t values = info(type).values_per_block;
  with_block(type, [&]<class Block>() {
    for (std::size_t i = 0; i < out.size(); i += values, row += sizeof(Block)) {
      decode(*reinterpret_cast<const Block*>(row), out.data() + i);
    }
  });
}

std::span<const BlockField> block_fields(DType type) {
  if (!is_quantised(type)) return {};
  return with_block(type, []<class Block>() { return std::span<const BlockField>(Block::kFields); });
}

// The sizes that tensor/dtype.h names are those of the structs, and of what they say of themselves.
static_assert([] {
  bool all = true;
  for (const DTypeInfo& i : kDTypes) {
    if (!is_quantised(i.type)) continue;
    all = all && with_block(i.type, [&]<class Block>() {
            std::size_t bytes = 0;
            for (const BlockField& field : Block::kFields) bytes += field.bytes;
            return bytes == i.bytes_per_block && sizeof(Block) == bytes;
          });
  }
  return all;
}());

}  // namespace rung
