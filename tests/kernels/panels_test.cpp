// Panels of every format × activations, by every kernel set that this machine can run, held to sums in double
// precision.
#include <gtest/gtest.h>

#include <algorithm>
#include <bit>
#include <cmath>
#include <cstring>
#include <limits>
#include <optional>
#include <random>

#include "kernels/cases.h"
#include "kernels/kernels.h"
#include "tensor/blocks.h"
#include "tensor/scale_offsets.h"

namespace rung {
namespace {

constexpr float kEpsilon = std::numeric_limits<float>::epsilon();

struct Case {
  const Kernels* kernels;
  DType type;
};

class Panels : public testing::TestWithParam<Case> {
 protected:
  const Kernels* kernels = GetParam().kernels;
  const DType type = GetParam().type;
  std::mt19937 random{11};
  int every_byte = -1;  // what the weights consist of, scales apart; -1: any
  struct OddWeight {
    std::size_t row;
    float value;
  };
  std::optional<OddWeight> odd_weight;  // the first of a row, or the scales of its block

  bool rounds_to_bf16() const { return type == DType::bf16 && kernels->round_to_bf16 != nullptr; }

  float uniform(float from, float to) { return from + (to - from) * static_cast<float>(random() % 65536) / 65536.0f; }

  // Rows of random bits, with scales of either sign that are neither infinite nor NaN.
  std::vector<std::byte> some_rows(std::size_t rows, std::size_t columns) {
    std::vector<std::byte> bytes(rows * row_bytes(type, columns));
    const auto or_odd = [&](std::size_t at, std::size_t each, float x) {
      return odd_weight && at == odd_weight->row * each ? odd_weight->value : x;
    };
    if (!takes_blocks(type)) {
      for (std::size_t i = 0; i < rows * columns; ++i) {
        const float x = or_odd(i, columns, uniform(-1, 1));
        if (type == DType::f32) std::memcpy(&bytes[4 * i], &x, 4);
        const std::uint16_t half = type == DType::f16 ? to_f16(x).bits : to_bf16(x).bits;
        if (type != DType::f32) std::memcpy(&bytes[2 * i], &half, 2);
      }
      return bytes;
    }
    for (std::byte& b : bytes) {
      b = static_cast<std::byte>(every_byte < 0 ? random() : static_cast<unsigned>(every_byte));
    }
    for (std::size_t at = 0; at < bytes.size(); at += info(type).bytes_per_block) {
      set_scales(&bytes[at], type, [&] { return or_odd(at, row_bytes(type, columns), uniform(-0.02f, 0.02f)); });
    }
    return bytes;
  }

  struct Result {
    std::vector<float> out;                // [tokens, rows], by the kernels
    std::vector<double> exact, magnitude;  // the same from the definitions, and Σ|products|
  };

  enum class Exactly { too, no };

  Result multiply(std::size_t rows, std::size_t columns, std::size_t tokens, const std::vector<float>& x,
                  const std::vector<float>& bias = {}, Exactly exactly = Exactly::too) {
    const std::vector<std::byte> packed = some_rows(rows, columns);
    const std::size_t panel = panel_bytes(type, columns);
    std::vector<std::byte> panels(panel_count(rows) * panel);
    for (std::size_t p = 0; p < panel_count(rows); ++p) {
      const std::byte* of_panel[kPanelRows] = {};
      for (std::size_t r = p * kPanelRows; r < std::min(rows, (p + 1) * kPanelRows); ++r) {
        of_panel[r % kPanelRows] = &packed[r * row_bytes(type, columns)];
      }
      lay_out_panel(&panels[p * panel], type, of_panel, columns);
    }
    std::vector<ActivationBlock> blocks(tokens * columns / 32);
    std::vector<float> used = x;  // what the products are made with
    if (takes_blocks(type)) {
      for (std::size_t t = 0; t < tokens; ++t) kernels->quantize(&blocks[t * columns / 32], &x[t * columns], columns);
      for (std::size_t i = 0; i < used.size(); ++i) used[i] = blocks[i / 32].scale * blocks[i / 32].q[i % 32];
    }
    const std::size_t stride = bf16_stride(columns);
    std::vector<std::uint16_t> bf16s(tokens * stride, 0x7fc0);  // NaN, where nothing is written
    if (rounds_to_bf16()) {
      for (std::size_t t = 0; t < tokens; ++t) kernels->round_to_bf16(&bf16s[t * stride], &x[t * columns], columns);
      for (std::size_t i = 0; i < used.size(); ++i) used[i] = to_f32(bf16{bf16s[i / columns * stride + i % columns]});
    }
    Result result;
    result.out.assign(tokens * rows, 123.0f);
    PanelProduct task{
        .panels = panels.data(),
        .panel_bytes = panel,
        .rows = rows,
        .columns = columns,
        .bias = bias.empty() ? nullptr : bias.data(),
        .blocks = blocks.data(),
        .bf16_rows = bf16s.data(),
        .floats = x.data(),
        .tokens = tokens,
        .out = result.out.data(),
        .out_stride = rows,
        .first_panel = 0,
        .end_panel = 0,
    };
    const std::size_t half = panel_count(rows) / 2;  // in two parts, as two threads would
    task.end_panel = half;
    kernels->product(type)(task);
    task.first_panel = half;
    task.end_panel = panel_count(rows);
    kernels->product(type)(task);

    if (exactly == Exactly::no) return result;
    std::vector<float> row(columns);
    std::vector<double> largest(columns);
    result.exact.resize(tokens * rows);
    result.magnitude.resize(tokens * rows);
    for (std::size_t r = 0; r < rows; ++r) {
      decode_row(row, type, &packed[r * row_bytes(type, columns)]);
      for (std::size_t i = 0; i < columns; ++i) largest[i] = static_cast<double>(largest_near(row, i));
      for (std::size_t t = 0; t < tokens; ++t) {
        double sum = bias.empty() ? 0.0 : bias[r], magnitude = std::fabs(sum);
        for (std::size_t i = 0; i < columns; ++i) {
          sum += static_cast<double>(row[i]) * static_cast<double>(used[t * columns + i]);
          magnitude += largest[i] * std::fabs(static_cast<double>(used[t * columns + i]));
        }
        result.exact[t * rows + r] = sum;
        result.magnitude[t * rows + r] = magnitude;
      }
    }
    return result;
  }

  // A weight is scale·q + min, and these two may cancel: each is at most twice the largest weight of the block.
  float largest_near(const std::vector<float>& row, std::size_t i) const {
    if (!takes_blocks(type)) return std::fabs(row[i]);
    float largest = 0;
    for (std::size_t k = i / 32 * 32; k < i / 32 * 32 + 32; ++k) largest = std::max(largest, std::fabs(row[k]));
    return 4 * largest;
  }

  std::vector<float> some_values(std::size_t n) {
    std::vector<float> x(n);
    for (float& v : x) v = uniform(-3, 3);
    return x;
  }

  // Each of n additions and each product rounds once, by at most half an epsilon of what it gives.
  void expect_near(const Result& result, std::size_t columns) {
    const std::size_t additions = takes_blocks(type) ? columns / 16 : columns;
    for (std::size_t i = 0; i < result.out.size(); ++i) {
      // Or a denormal's last bit; or, where denormals count as 0, all of them.
      const double smallest = rounds_to_bf16() ? 1.2e-38 : 1.5e-45;
      const double tolerance = static_cast<double>(additions + 5) * (kEpsilon / 2 * result.magnitude[i] + smallest);
      ASSERT_NEAR(result.out[i], result.exact[i], tolerance) << "output " << i;
    }
  }
};

TEST_P(Panels, EqualTheExactSumsForEveryNumberOfTokensAndRows) {
  const std::size_t columns = 2 * std::max<std::size_t>(32, info(type).values_per_block);
  const auto expect_exact = [&](std::size_t rows, std::size_t tokens) {
    SCOPED_TRACE(testing::Message() << rows << " rows, " << tokens << " tokens");
    expect_near(multiply(rows, columns, tokens, some_values(tokens * columns)), columns);
  };
  for (const std::size_t rows : {1u, 15u, 16u, 17u, 33u, 65u}) {
    for (const std::size_t tokens : {1u, 2u, 3u, 4u, 5u, 6u, 7u, 11u, 12u, 13u, 16u, 17u, 18u, 35u, 47u, 48u, 71u}) {
      expect_exact(rows, tokens);
    }
  }
  // two parts of seven panels: steps of four, two and one
  for (const std::size_t tokens : {1u, 15u, 71u}) expect_exact(209, tokens);
}

TEST_P(Panels, EqualTheExactSumsForManyTokensAndColumns) {
  const std::size_t columns = takes_blocks(type) ? 1536 : 1543;
  expect_near(multiply(72, columns, 71, some_values(71 * columns)), columns);
}

TEST_P(Panels, EqualTheExactSumsForEveryTailOfColumns) {
  if (takes_blocks(type)) return;  // whole blocks only
  for (std::size_t columns = 1; columns <= 66; ++columns) {
    for (const std::size_t tokens : {1u, 5u, 33u, 67u}) {
      SCOPED_TRACE(testing::Message() << columns << " columns, " << tokens << " tokens");
      expect_near(multiply(129, columns, tokens, some_values(tokens * columns)), columns);
    }
  }
}

TEST_P(Panels, EqualTheExactSumsForMoreActivationsThanACacheHolds) {
  const std::size_t columns = 16384, tokens = 70;  // quantised, 1.7 MB
  expect_near(multiply(3, columns, tokens, some_values(tokens * columns)), columns);
}

TEST_P(Panels, AddTheBias) {
  const std::size_t columns = std::max<std::size_t>(32, info(type).values_per_block);
  for (const std::size_t tokens : {3u, 21u, 67u}) {
    expect_near(multiply(19, columns, tokens, some_values(tokens * columns), some_values(19)), columns);
  }
}

TEST_P(Panels, GiveATokenTheSameBitsInEveryCompany) {
  // More columns than any set unpacks at once; two parts of five panels.
  const std::size_t columns = std::max<std::size_t>(1056, 5 * info(type).values_per_block), rows = 145, tokens = 71;
  const std::vector<float> x = some_values(tokens * columns);
  const auto outputs = [&](std::size_t first, std::size_t count) {
    random.seed(5);  // the same weights
    return multiply(rows, columns, count, {&x[first * columns], &x[first * columns] + count * columns}, {}, Exactly::no)
        .out;
  };
  std::vector<std::vector<float>> alone;
  for (std::size_t t = 0; t < tokens; ++t) alone.push_back(outputs(t, 1));
  for (const std::size_t company : {2u, 3u, 5u, 15u, 27u, 63u, 71u}) {
    const std::vector<float> together = outputs(0, company);
    for (std::size_t i = 0; i < together.size(); ++i) {
      ASSERT_EQ(std::bit_cast<std::uint32_t>(together[i]), std::bit_cast<std::uint32_t>(alone[i / rows][i % rows]))
          << "token " << i / rows << " of " << company << ", row " << i % rows;
    }
  }
}

TEST_P(Panels, TakeZerosDenormalsAndHugeValues) {
  const std::size_t columns = std::max<std::size_t>(32, info(type).values_per_block);
  for (const float value : {0.0f, -0.0f, 1e-40f, 1e-30f, 1e30f}) {
    SCOPED_TRACE(value);
    for (const std::size_t tokens : {2u, 19u, 49u}) {
      std::vector<float> x(tokens * columns, value);
      x[3] = -value;
      expect_near(multiply(16, columns, tokens, x), columns);
    }
  }
}

// Where products are added in 16 bits first, these are the sums that come closest to what fits: all quants at their
// largest or smallest, -128 among them.
TEST_P(Panels, AreExactForTheLargestQuants) {
  const std::size_t columns = 2 * std::max<std::size_t>(32, info(type).values_per_block);
  if (!takes_blocks(type)) return;  // there are no integers
  for (const int byte : {0xff, 0x80, 0x7f, 0x00}) {
    if (type == DType::tq1_0 && byte == 0x80) continue;  // zeros alone, which its panels take for scale − scale
    for (const float value : {1.0f, -1.0f}) {
      SCOPED_TRACE(testing::Message() << "bytes " << byte << ", x " << value);
      every_byte = byte;
      for (const std::size_t tokens : {1u, 2u, 6u, 18u, 48u}) {
        expect_near(multiply(16, columns, tokens, std::vector<float>(tokens * columns, value)), columns);
      }
    }
  }
}

TEST_P(Panels, HandNaNAndInfinityOn) {
  const std::size_t columns = 2 * std::max<std::size_t>(32, info(type).values_per_block);
  constexpr float kInfinity = std::numeric_limits<float>::infinity();
  for (const float value : {std::numeric_limits<float>::quiet_NaN(), kInfinity, -kInfinity}) {
    for (const std::size_t tokens : {2u, 18u, 67u}) {
      std::vector<float> x = some_values(tokens * columns);
      x[columns + 5] = value;  // of the second token
      const Result result = multiply(16, columns, tokens, x);
      for (std::size_t i = 0; i < result.out.size(); ++i) {
        EXPECT_EQ(std::isfinite(result.out[i]), i / 16 != 1)
            << "token " << i / 16 << ", row " << i % 16 << ", value " << value;
      }
    }
  }
}

TEST_P(Panels, HandNaNAndInfinityOfAWeightToItsRowAlone) {
  if (type == DType::mxfp4) return;  // its scales are powers of two
  const std::size_t columns = 2 * std::max<std::size_t>(32, info(type).values_per_block), rows = 40;
  constexpr float kInfinity = std::numeric_limits<float>::infinity();
  for (const float value : {std::numeric_limits<float>::quiet_NaN(), kInfinity, -kInfinity}) {
    odd_weight = {21, value};
    for (const std::size_t tokens : {1u, 3u, 18u, 67u}) {
      const Result result = multiply(rows, columns, tokens, some_values(tokens * columns), {}, Exactly::no);
      for (std::size_t i = 0; i < result.out.size(); ++i) {
        EXPECT_EQ(std::isfinite(result.out[i]), i % rows != 21)
            << "token " << i / rows << ", row " << i % rows << ", value " << value;
      }
    }
  }
}

// To the nearest, ties to even, as the definition says (base/half.h).
TEST_P(Panels, TakeActivationsOfBf16WhereTheyRoundThem) {
  if (!rounds_to_bf16()) return;
  for (const std::size_t n : kernel_lengths()) {
    std::vector<float> x = some_values(n);
    x[0] = 1.0f + 0x1p-8f;  // a tie
    x[n / 2] = std::numeric_limits<float>::infinity();
    std::vector<std::uint16_t> rounded(bf16_stride(n) + 1, 77);
    kernels->round_to_bf16(rounded.data(), x.data(), n);
    for (std::size_t i = 0; i < n; ++i) ASSERT_EQ(rounded[i], to_bf16(x[i]).bits) << x[i];
    if (n % 2 == 1) {
      EXPECT_EQ(rounded[n], 0) << "the other of the last pair";
    }
    EXPECT_EQ(rounded.back(), 77) << "past the end";
  }
}

// Integer sums are exact, and the floats are added in the same order everywhere: another machine gives the same bits.
TEST_P(Panels, GiveTheBitsOfThePlainSet) {
  if (rounds_to_bf16()) return;  // the plain set does not
  const std::size_t columns = std::max<std::size_t>(672, 3 * info(type).values_per_block), tokens = 55;
  const std::vector<float> x = some_values(tokens * columns);
  random.seed(3);
  const std::vector<float> mine = multiply(33, columns, tokens, x).out;
  kernels = supported_kernels().back();
  random.seed(3);
  EXPECT_EQ(mine, multiply(33, columns, tokens, x).out);
}

std::vector<Case> cases() {
  std::vector<Case> all;
  for (const Kernels* k : supported_kernels()) {
    for (const DType type : kWeightTypes) all.push_back({k, type});
  }
  return all;
}

INSTANTIATE_TEST_SUITE_P(EverySet, Panels, testing::ValuesIn(cases()),
                         [](const testing::TestParamInfo<Case>& parameter) {
                           return std::string(parameter.param.kernels->name) + "_" +
                                  std::string(rung::info(parameter.param.type).name);
                         });

}  // namespace
}  // namespace rung
