#include "tensor/encode_k.h"

#include <algorithm>
#include <array>
#include <cmath>
#include <cstdint>
#include <cstring>
#include <limits>

#include "tensor/blocks.h"
#include "tensor/code_search.h"

namespace rung {

namespace {

using search::Codes;
using search::Line;
using search::Range;

constexpr std::size_t kBlock = 256;
// of: the groups' whole numbers for the block's scales, the block's scales for the whole numbers
constexpr int kRounds = 3;

// The whole number nearest to v, bounded; no number: low.
int whole(float v, int low, int high) {
  if (!(v > static_cast<float>(low))) return low;
  return v < static_cast<float>(high) ? static_cast<int>(std::lround(v)) : high;
}

float rounded_to_f16(float v) { return to_f32(to_f16(v)); }

// 16 groups of 16, value ≈ (scale·factor)·code.
class BlockOf16 {
 public:
  static constexpr std::size_t kGroups = 16, kGroup = 16;

  BlockOf16(const float* x, const float* weights) : x_(x), weights_(weights) {}

  void search() {
    std::array<float, kGroups> scales;
    float most = 0;
    for (std::size_t g = 0; g < kGroups; ++g) {
      scales[g] = search::best_scale<kGroup>(x_ + g * kGroup, weights_ + g * kGroup, kRange).line.scale;
      if (std::fabs(scales[g]) > std::fabs(most)) most = scales[g];
    }
    set_scale(most / -128.0f);
    const float inverse = scale != 0 ? 1.0f / scale : 0.0f;
    for (std::size_t g = 0; g < kGroups; ++g) factors[g] = whole(scales[g] * inverse, -128, 127);
    float best = choose_factors();
    for (int round = 1; round < kRounds; ++round) {
      BlockOf16 next = *this;
      next.fit_scale();
      const float off = next.choose_factors();
      if (!(off < best)) break;
      *this = next;
      best = off;
    }
  }

  float scale = 0;
  std::array<int, kGroups> factors{};
  std::array<Codes<kGroup>, kGroups> codes{};

 private:
  static constexpr Range kRange{-32, 31};

  void set_scale(float s) { scale = rounded_to_f16(s); }

  // For each group the best factor about where it is, and the codes for it. Returns the whole error.
  float choose_factors() {
    float total = 0;
    for (std::size_t g = 0; g < kGroups; ++g) {
      const float* x = x_ + g * kGroup;
      float best = std::numeric_limits<float>::infinity();
      const int middle = factors[g];
      for (int factor = std::max(middle - 1, -128); factor <= std::min(middle + 1, 127); ++factor) {
        Codes<kGroup> tried;
        const Line line{scale * static_cast<float>(factor)};
        search::nearest_codes<kGroup>(tried, x, line, kRange);
        const float off = search::error<kGroup>(tried, x, weights_ + g * kGroup, line);
        if (!(off < best)) continue;
        best = off;
        factors[g] = factor;
        codes[g] = tried;
      }
      total += best;
    }
    return total;
  }

  // Least squares over the whole block: value ≈ scale·(factor·code).
  void fit_scale() {
    float product = 0, square = 0;
    for (std::size_t g = 0; g < kGroups; ++g) {
      const search::Moments m = search::moments<kGroup>(codes[g], x_ + g * kGroup, weights_ + g * kGroup);
      const auto factor = static_cast<float>(factors[g]);
      product += factor * m.product;
      square += factor * factor * m.square;
    }
    if (square > 0) set_scale(product / square);
  }

  const float* x_;
  const float* weights_;
};

// 8 groups of 32, value ≈ (scale·factor)·code − min·shift, code from 0 to `top`.
class BlockOf32 {
 public:
  static constexpr std::size_t kGroups = 8, kGroup = 32;

  BlockOf32(const float* x, const float* weights, float top) : x_(x), weights_(weights), top_(top) {}

  void search() {
    std::array<Line, kGroups> lines;
    float most_scale = 0, most_min = 0;
    for (std::size_t g = 0; g < kGroups; ++g) {
      lines[g] = search::best_line<kGroup>(x_ + g * kGroup, weights_ + g * kGroup, {0, top_}, 0).line;
      most_scale = std::max(most_scale, lines[g].scale);
      most_min = std::max(most_min, -lines[g].shift);
    }
    set_scales(most_scale / 63.0f, most_min / 63.0f);
    const float inverse = scale > 0 ? 1.0f / scale : 0.0f, inverse_min = min > 0 ? 1.0f / min : 0.0f;
    for (std::size_t g = 0; g < kGroups; ++g) {
      factors[g] = whole(lines[g].scale * inverse, 0, 63);
      shifts[g] = whole(-lines[g].shift * inverse_min, 0, 63);
    }
    float best = choose_factors();
    for (int round = 1; round < kRounds; ++round) {
      BlockOf32 next = *this;
      next.fit_scales();
      const float off = next.choose_factors();
      if (!(off < best)) break;
      *this = next;
      best = off;
    }
  }

  float scale = 0, min = 0;
  std::array<int, kGroups> factors{}, shifts{};
  std::array<Codes<kGroup>, kGroups> codes{};

 private:
  void set_scales(float s, float m) {
    scale = rounded_to_f16(std::max(s, 0.0f));
    min = rounded_to_f16(std::max(m, 0.0f));
  }

  Line line_of(int factor, int shift) const {
    return {scale * static_cast<float>(factor), -(min * static_cast<float>(shift))};
  }

  float choose_factors() {
    float total = 0;
    for (std::size_t g = 0; g < kGroups; ++g) total += choose_factor(g);
    return total;
  }

  // The best factor about where it is; for each the shift that is best for its codes, and the codes for that. Returns
  // the group's error.
  float choose_factor(std::size_t g) {
    const float* x = x_ + g * kGroup;
    const float* w = weights_ + g * kGroup;
    const search::Totals t = search::totals<kGroup>(x, w);
    const int middle = factors[g], middle_shift = shifts[g];
    float best = std::numeric_limits<float>::infinity();
    const auto consider = [&](int factor, int shift, Codes<kGroup>& tried) {
      const Line line = line_of(factor, shift);
      search::nearest_codes<kGroup>(tried, x, line, {0, top_});
      const float off = search::error<kGroup>(tried, x, w, line);
      if (!(off < best)) return;
      best = off;
      factors[g] = factor;
      shifts[g] = shift;
      codes[g] = tried;
    };
    for (int factor = std::max(middle - 1, 0); factor <= std::min(middle + 1, 63); ++factor) {
      Codes<kGroup> tried;
      consider(factor, middle_shift, tried);
      if (!(min > 0) || !(t.weight > 0)) continue;
      const float sum_of_codes = search::moments<kGroup>(tried, x, w).code;
      // the mean of scale·code − value
      const float below = (scale * static_cast<float>(factor) * sum_of_codes - t.value) / t.weight;
      const int shift = whole(below / min, 0, 63);
      if (shift != middle_shift) consider(factor, shift, tried);
    }
    return best;
  }

  // Least squares over the whole block for both scales at once: value ≈ scale·(factor·code) − min·shift.
  void fit_scales() {
    double aa = 0, ab = 0, bb = 0, ax = 0, bx = 0;
    for (std::size_t g = 0; g < kGroups; ++g) {
      const float* x = x_ + g * kGroup;
      const float* w = weights_ + g * kGroup;
      const search::Moments m = search::moments<kGroup>(codes[g], x, w);
      const search::Totals t = search::totals<kGroup>(x, w);
      const double factor = factors[g], shift = -shifts[g];
      aa += factor * factor * m.square;
      ab += factor * shift * m.code;
      bb += shift * shift * t.weight;
      ax += factor * m.product;
      bx += shift * t.value;
    }
    const double determinant = aa * bb - ab * ab;
    if (determinant > 0) {
      set_scales(static_cast<float>((ax * bb - bx * ab) / determinant),
                 static_cast<float>((bx * aa - ax * ab) / determinant));
    } else if (aa > 0) {
      set_scales(static_cast<float>(ax / aa), min);
    }
  }

  const float* x_;
  const float* weights_;
  float top_;
};

std::uint8_t byte(float code) { return static_cast<std::uint8_t>(code); }

void write(BlockQ6_K& block, const BlockOf16& found) {
  std::memset(&block, 0, sizeof block);
  block.scale = to_f16(found.scale);
  for (std::size_t g = 0; g < BlockOf16::kGroups; ++g) {
    block.groups[g] = static_cast<std::int8_t>(found.factors[g]);
    // tensor/blocks.cpp says where a group lies.
    std::uint8_t* q = block.q + 64 * (g / 8) + 16 * (g % 4);
    std::uint8_t* high = block.high + 32 * (g / 8) + 16 * (g % 2);
    const std::size_t shift = 4 * (g / 4 % 2), high_shift = 2 * (g / 2 % 4);
    for (std::size_t i = 0; i < BlockOf16::kGroup; ++i) {
      const unsigned code = byte(found.codes[g][i] + 32.0f);
      q[i] = static_cast<std::uint8_t>(q[i] | (code & 15) << shift);
      high[i] = static_cast<std::uint8_t>(high[i] | (code >> 4) << high_shift);
    }
  }
}

template <class Block>
void write_groups(Block& block, const BlockOf32& found) {
  std::memset(&block, 0, sizeof block);
  block.scale = to_f16(found.scale);
  block.min = to_f16(found.min);
  for (std::size_t g = 0; g < BlockOf32::kGroups; ++g) {
    const auto factor = static_cast<unsigned>(found.factors[g]), shift = static_cast<unsigned>(found.shifts[g]);
    if (g < 4) {
      block.groups[g] = static_cast<std::uint8_t>(block.groups[g] | factor);
      block.groups[g + 4] = static_cast<std::uint8_t>(block.groups[g + 4] | shift);
    } else {
      block.groups[g + 4] = static_cast<std::uint8_t>((factor & 15) | (shift & 15) << 4);
      block.groups[g - 4] = static_cast<std::uint8_t>(block.groups[g - 4] | (factor >> 4) << 6);
      block.groups[g] = static_cast<std::uint8_t>(block.groups[g] | (shift >> 4) << 6);
    }
    std::uint8_t* q = block.q + 32 * (g / 2);
    for (std::size_t i = 0; i < BlockOf32::kGroup; ++i) {
      q[i] = static_cast<std::uint8_t>(q[i] | (byte(found.codes[g][i]) & 15) << (4 * (g % 2)));
    }
  }
}

void encode(BlockQ6_K& block, const float* x, const float* weights) {
  BlockOf16 found(x, weights);
  found.search();
  write(block, found);
}

void encode(BlockQ4_K& block, const float* x, const float* weights) {
  BlockOf32 found(x, weights, 15);
  found.search();
  write_groups(block, found);
}

void encode(BlockQ5_K& block, const float* x, const float* weights) {
  BlockOf32 found(x, weights, 31);
  found.search();
  write_groups(block, found);
  for (std::size_t g = 0; g < BlockOf32::kGroups; ++g) {
    for (std::size_t i = 0; i < BlockOf32::kGroup; ++i) {
      block.high[i] = static_cast<std::uint8_t>(block.high[i] | (byte(found.codes[g][i]) >> 4) << g);
    }
  }
}

template <class Block>
void encode_blocks(std::byte* row, std::span<const float> values, std::span<const float> importance) {
  std::array<float, kBlock> alike;
  alike.fill(1.0f);
  for (std::size_t i = 0; i < values.size(); i += kBlock, row += sizeof(Block)) {
    encode(*reinterpret_cast<Block*>(row), values.data() + i,
           importance.empty() ? alike.data() : importance.data() + i);
  }
}

}  // namespace

void encode_k_row(std::byte* row, DType type, std::span<const float> values, std::span<const float> importance) {
  if (type == DType::q4_k) encode_blocks<BlockQ4_K>(row, values, importance);
  if (type == DType::q5_k) encode_blocks<BlockQ5_K>(row, values, importance);
  if (type == DType::q6_k) encode_blocks<BlockQ6_K>(row, values, importance);
}

}  // namespace rung
