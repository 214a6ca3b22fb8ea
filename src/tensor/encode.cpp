// The plain types and the formats of 32 values.
#include "tensor/encode.h"

#include <algorithm>
#include <array>
#include <cmath>
#include <cstdint>
#include <cstring>
#include <limits>

#include "base/ensure.h"
#include "tensor/blocks.h"
#include "tensor/code_search.h"
#include "tensor/encode_k.h"

namespace rung {

namespace {

constexpr std::size_t kBlock = 32;
using Codes = std::array<std::uint8_t, kBlock>;

// The whole part of `v`, bounded by [0, top]. No number: 0. (A conversion of what does not fit an int would be
// undefined.)
std::uint8_t code(float v, int top) {
  const float largest = static_cast<float>(top);
  const float bounded = v < largest ? v : largest;
  return static_cast<std::uint8_t>(bounded > 0 ? static_cast<int>(bounded) : 0);
}

float largest_magnitude(const float* x) {
  float largest = 0;
  for (std::size_t i = 0; i < kBlock; ++i) largest = std::max(largest, std::fabs(x[i]));
  return largest;
}

// 1 / scale; 0 where that is no number one could multiply with: such a block is all zeros, whatever its codes.
float inverse(float scale) {
  const float inverted = 1.0f / scale;
  return std::isfinite(inverted) ? inverted : 0.0f;
}

void pack_nibbles(std::uint8_t (&q)[16], const Codes& codes) {
  for (std::size_t j = 0; j < 16; ++j) q[j] = static_cast<std::uint8_t>((codes[j] & 15) | (codes[j + 16] & 15) << 4);
}

void pack_fifth_bits(std::uint8_t (&high)[4], const Codes& codes) {
  for (std::size_t j = 0; j < 4; ++j) {
    unsigned byte = 0;
    for (std::size_t k = 0; k < 8; ++k) byte |= static_cast<unsigned>(codes[8 * j + k] >> 4) << k;
    high[j] = static_cast<std::uint8_t>(byte);
  }
}

// The value that is farthest from zero, with its sign; of two equally far the first.
float farthest(const float* x) {
  float most = 0;
  for (std::size_t i = 0; i < kBlock; ++i) {
    if (std::fabs(x[i]) > std::fabs(most)) most = x[i];
  }
  return most;
}

// value ≈ scale·(code − zero), where the farthest value has code 0: the side with one code more.
struct Symmetric {
  float scale;
  Codes codes;
};

Symmetric symmetric(const float* x, int zero) {
  Symmetric s;
  s.scale = farthest(x) / static_cast<float>(-zero);
  const float inverted = inverse(s.scale), middle = static_cast<float>(zero) + 0.5f;
  for (std::size_t i = 0; i < kBlock; ++i) s.codes[i] = code(x[i] * inverted + middle, 2 * zero - 1);
  return s;
}

// value ≈ scale·code + min
struct Shifted {
  float scale, min;
  Codes codes;
};

Shifted shifted(const float* x, int top) {
  Shifted s;
  const auto [least, most] = std::minmax_element(x, x + kBlock);
  s.min = *least;
  s.scale = (*most - *least) / static_cast<float>(top);
  const float inverted = inverse(s.scale);
  for (std::size_t i = 0; i < kBlock; ++i) s.codes[i] = code((x[i] - s.min) * inverted + 0.5f, top);
  return s;
}

void encode(BlockQ8_0& block, const float* x) {
  const float scale = largest_magnitude(x) / 127.0f, inverted = inverse(scale);
  block.scale = to_f16(scale);
  for (std::size_t i = 0; i < kBlock; ++i) {
    const float scaled = x[i] * inverted;
    // the whole part; a half and more is rounded away from zero
    const int magnitude = code(std::fabs(scaled) + 0.0f, 127);
    const float rest = std::fabs(scaled) - static_cast<float>(magnitude);
    const int rounded = std::min(magnitude + (rest >= 0.5f ? 1 : 0), 127);
    block.q[i] = static_cast<std::int8_t>(scaled < 0 ? -rounded : rounded);
  }
}

void write(BlockQ4_0& block, const Symmetric& s) {
  block.scale = to_f16(s.scale);
  pack_nibbles(block.q, s.codes);
}

void write(BlockQ5_0& block, const Symmetric& s) {
  block.scale = to_f16(s.scale);
  pack_fifth_bits(block.high, s.codes);
  pack_nibbles(block.q, s.codes);
}

void write(BlockQ4_1& block, const Shifted& s) {
  block.scale = to_f16(s.scale);
  block.min = to_f16(s.min);
  pack_nibbles(block.q, s.codes);
}

void write(BlockQ5_1& block, const Shifted& s) {
  block.scale = to_f16(s.scale);
  block.min = to_f16(s.min);
  pack_fifth_bits(block.high, s.codes);
  pack_nibbles(block.q, s.codes);
}

void encode(BlockQ4_0& block, const float* x) { write(block, symmetric(x, 8)); }
void encode(BlockQ5_0& block, const float* x) { write(block, symmetric(x, 16)); }
void encode(BlockQ4_1& block, const float* x) { write(block, shifted(x, 15)); }
void encode(BlockQ5_1& block, const float* x) { write(block, shifted(x, 31)); }

// With an importance for each value, the scale is searched for.
Symmetric symmetric(const float* x, const float* weights, int zero) {
  const auto best =
      search::best_scale<kBlock>(x, weights, {static_cast<float>(-zero), static_cast<float>(zero - 1), true});
  Symmetric s;
  s.scale = best.line.scale;
  for (std::size_t i = 0; i < kBlock; ++i) {
    s.codes[i] = static_cast<std::uint8_t>(best.codes[i] + static_cast<float>(zero));
  }
  return s;
}

Shifted shifted(const float* x, const float* weights, int top) {
  const auto best =
      search::best_line<kBlock>(x, weights, {0, static_cast<float>(top), true}, std::numeric_limits<float>::infinity());
  Shifted s;
  s.scale = best.line.scale;
  s.min = best.line.shift;
  for (std::size_t i = 0; i < kBlock; ++i) s.codes[i] = static_cast<std::uint8_t>(best.codes[i]);
  return s;
}

void encode(BlockQ4_0& block, const float* x, const float* weights) { write(block, symmetric(x, weights, 8)); }
void encode(BlockQ5_0& block, const float* x, const float* weights) { write(block, symmetric(x, weights, 16)); }
void encode(BlockQ4_1& block, const float* x, const float* weights) { write(block, shifted(x, weights, 15)); }
void encode(BlockQ5_1& block, const float* x, const float* weights) { write(block, shifted(x, weights, 31)); }
// 255 steps: there is nothing to be gained
void encode(BlockQ8_0& block, const float* x, const float*) { encode(block, x); }

// Code of the value of the table that is nearest to v.
std::uint8_t nearest_iq4(float v) {
  int above = 0;  // how many of the fifteen middles between neighbours v lies above
  for (std::size_t i = 0; i < 15; ++i) {
    above += v > 0.5f * static_cast<float>(kIq4Values[i] + kIq4Values[i + 1]) ? 1 : 0;
  }
  return static_cast<std::uint8_t>(above);
}

// value ≈ scale·kIq4Values[code]
struct Tabled {
  float scale = 0;
  Codes codes{};
  float error = std::numeric_limits<float>::infinity();
};

// From this scale on: the nearest codes for a scale, the best scale for these codes, twice (tensor/code_search.h).
void try_table_scale(Tabled& best, const float* x, const float* weights, float scale) {
  for (int step = 0; step < 2; ++step) {
    Tabled next;
    const float inverted = inverse(scale);
    float product = 0, square = 0;
    for (std::size_t i = 0; i < kBlock; ++i) {
      next.codes[i] = nearest_iq4(x[i] * inverted);
      const float value = static_cast<float>(kIq4Values[next.codes[i]]);
      product += weights[i] * value * x[i];
      square += weights[i] * value * value;
    }
    if (!(square > 0)) return;
    scale = next.scale = to_f32(to_f16(product / square));
    next.error = 0;
    for (std::size_t i = 0; i < kBlock; ++i) {
      const float off = x[i] - scale * static_cast<float>(kIq4Values[next.codes[i]]);
      next.error += weights[i] * off * off;
    }
    if (next.error < best.error) best = next;
  }
}

// Begins with the farthest value at either end of the table, somewhat beyond it, somewhat inside.
void encode(BlockIQ4_NL& block, const float* x, const float* weights) {
  Tabled best;
  const float most = farthest(x);
  if (most != 0) {
    for (int step = -6; step <= 6; ++step) {
      const float shift = 2.5f * static_cast<float>(step);
      try_table_scale(best, x, weights, most / (static_cast<float>(kIq4Values[0]) + shift));
      try_table_scale(best, x, weights, most / (static_cast<float>(kIq4Values[15]) + shift));
    }
  }
  block.scale = to_f16(best.scale);
  pack_nibbles(block.q, best.codes);
}

void encode(BlockIQ4_NL& block, const float* x) {
  constexpr auto kAlike = [] {
    std::array<float, kBlock> weights{};
    for (float& w : weights) w = 1;
    return weights;
  }();
  encode(block, x, kAlike.data());
}

template <class Block>
void encode_blocks(std::byte* row, std::span<const float> values, std::span<const float> importance) {
  for (std::size_t i = 0; i < values.size(); i += kBlock, row += sizeof(Block)) {
    Block& block = *reinterpret_cast<Block*>(row);
    importance.empty() ? encode(block, values.data() + i) : encode(block, values.data() + i, importance.data() + i);
  }
}

template <class Half, class Convert>
void encode_plain(std::byte* row, std::span<const float> values, Convert convert) {
  for (std::size_t i = 0; i < values.size(); ++i) {
    const Half half = convert(values[i]);
    std::memcpy(row + 2 * i, &half, 2);
  }
}

}  // namespace

void encode_row(std::byte* row, DType type, std::span<const float> values, std::span<const float> importance) {
  if (values.empty()) return;
  switch (type) {
    case DType::f32: std::memcpy(row, values.data(), values.size_bytes()); return;
    case DType::f16: encode_plain<f16>(row, values, [](float v) { return to_f16(v); }); return;
    case DType::bf16: encode_plain<bf16>(row, values, [](float v) { return to_bf16(v); }); return;
    case DType::q4_0: encode_blocks<BlockQ4_0>(row, values, importance); return;
    case DType::q4_1: encode_blocks<BlockQ4_1>(row, values, importance); return;
    case DType::q5_0: encode_blocks<BlockQ5_0>(row, values, importance); return;
    case DType::q5_1: encode_blocks<BlockQ5_1>(row, values, importance); return;
    case DType::q8_0: encode_blocks<BlockQ8_0>(row, values, importance); return;
    case DType::iq4_nl: encode_blocks<BlockIQ4_NL>(row, values, importance); return;
    case DType::q4_k:
    case DType::q5_k:
    case DType::q6_k: encode_k_row(row, type, values, importance); return;
    default: break;
  }
  found_bug("encode_row: not a type that it writes");
}

}  // namespace rung
