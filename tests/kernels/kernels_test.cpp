// Every kernel of every set that this machine supports, at every tail length, against sums in double precision.
//
// Tolerances are derived: a sum of n terms tᵢ in f32, however it is ordered, is off by about ε·√n·√(Σtᵢ²) when rounding
// errors are independent; twice that, as the style of this project has it.
#include <gtest/gtest.h>

#include <algorithm>
#include <cmath>
#include <cstdint>
#include <iterator>
#include <limits>
#include <vector>

#include "kernels/cases.h"
#include "kernels/kernels.h"

namespace rung {
namespace {

constexpr double kEpsilon = 0x1p-23;
constexpr float kInfinity = std::numeric_limits<float>::infinity();

std::vector<float> some_values(std::size_t n, std::uint32_t seed, float size = 1) {
  std::vector<float> values(n);
  for (float& v : values) {
    seed = seed * 1664525u + 1013904223u;
    v = size * (static_cast<float>(seed >> 8) * 0x1p-23f - 1.0f);
  }
  return values;
}

double sum_tolerance(const std::vector<double>& terms) {
  double squares = 0;
  for (const double t : terms) squares += t * t;
  return 2 * kEpsilon * std::sqrt(static_cast<double>(terms.size()) * squares) + 1e-44;
}

class EveryKernel : public testing::TestWithParam<const Kernels*> {
 protected:
  const Kernels& k = *GetParam();
};

TEST_P(EveryKernel, DotIsTheSumOfProducts) {
  for (const std::size_t n : kernel_lengths()) {
    const auto a = some_values(n, 1);
    const auto b = some_values(n, 2);
    std::vector<double> terms;
    double sum = 0;
    for (std::size_t i = 0; i < n; ++i) {
      terms.push_back(static_cast<double>(a[i]) * static_cast<double>(b[i]));
      sum += terms.back();
    }
    EXPECT_NEAR(k.dot(a.data(), b.data(), n), sum, sum_tolerance(terms)) << n;
  }
}

TEST_P(EveryKernel, DotCarriesWhatIsNoNumberAndWhatIsTiny) {
  for (const std::size_t n : kernel_lengths()) {
    auto a = some_values(n, 1);
    const std::vector<float> ones(n, 1.0f);
    a[n / 2] = kInfinity;
    EXPECT_EQ(k.dot(a.data(), ones.data(), n), kInfinity) << n;
    a[n - 1] = std::nanf("");
    EXPECT_TRUE(std::isnan(k.dot(a.data(), ones.data(), n))) << n;
  }
  const std::vector<float> denormal(7, 0x1p-140f);
  const std::vector<float> ones(7, 1.0f);
  EXPECT_EQ(k.dot(denormal.data(), ones.data(), 7), 7 * 0x1p-140f);
}

TEST_P(EveryKernel, AddScaledAndScaleTouchEachElement) {
  for (const std::size_t n : kernel_lengths()) {
    const auto x = some_values(n, 3);
    auto y = some_values(n + 1, 4);
    const auto before = y;
    k.add_scaled(y.data(), 0.75f, x.data(), n);
    for (std::size_t i = 0; i < n; ++i) EXPECT_NEAR(y[i], before[i] + 0.75f * x[i], 2e-7) << n;
    EXPECT_EQ(y[n], before[n]) << "nothing behind the end";
    k.scale(y.data(), -2, n);
    for (std::size_t i = 0; i < n; ++i) EXPECT_NEAR(y[i], -2 * (before[i] + 0.75f * x[i]), 4e-7) << n;
    EXPECT_EQ(y[n], before[n]);
  }
}

TEST_P(EveryKernel, RmsNormDividesByTheRootOfTheMeanSquare) {
  for (const std::size_t n : kernel_lengths()) {
    const auto x = some_values(n, 5, 3);
    const auto weight = some_values(n, 6);
    double squares = 0;
    for (const float v : x) squares += static_cast<double>(v) * static_cast<double>(v);
    const double inverse = 1 / std::sqrt(squares / static_cast<double>(n) + 1e-5);
    std::vector<float> out(n);
    k.rms_norm(out.data(), x.data(), weight.data(), n, 1e-5f);
    for (std::size_t i = 0; i < n; ++i) {
      EXPECT_NEAR(out[i], static_cast<double>(x[i]) * inverse * static_cast<double>(weight[i]), 2e-6) << n;
    }
    auto in_place = x;
    k.rms_norm(in_place.data(), in_place.data(), weight.data(), n, 1e-5f);
    EXPECT_EQ(in_place, out);
  }
}

TEST_P(EveryKernel, RmsNormOfZerosIsZero) {
  std::vector<float> zeros(20);
  const std::vector<float> ones(20, 1.0f);
  k.rms_norm(zeros.data(), zeros.data(), ones.data(), 20, 1e-6f);
  EXPECT_EQ(zeros, std::vector<float>(20));
}

TEST_P(EveryKernel, RotateTurnsEachPairByItsAngle) {
  for (std::size_t half = 1; half <= 40; ++half) {
    const auto before = some_values(2 * half, 7);
    std::vector<float> cosine(half);
    std::vector<float> sine(half);
    for (std::size_t i = 0; i < half; ++i) {
      cosine[i] = static_cast<float>(std::cos(static_cast<double>(i) + 0.3));
      sine[i] = static_cast<float>(std::sin(static_cast<double>(i) + 0.3));
    }
    auto x = before;
    k.rotate(x.data(), cosine.data(), sine.data(), half);
    for (std::size_t i = 0; i < half; ++i) {
      EXPECT_NEAR(x[i], before[i] * cosine[i] - before[i + half] * sine[i], 3e-7);
      EXPECT_NEAR(x[i + half], before[i + half] * cosine[i] + before[i] * sine[i], 3e-7);
    }
  }
}

TEST_P(EveryKernel, GatesFollowTheirFormulas) {
  for (const std::size_t n : kernel_lengths()) {
    const auto gate = some_values(n, 8, 12);
    const auto up = some_values(n, 9);
    std::vector<float> silu(n);
    std::vector<float> gelu(n);
    k.silu_gate(silu.data(), gate.data(), up.data(), n);
    k.gelu_gate(gelu.data(), gate.data(), up.data(), n);
    for (std::size_t i = 0; i < n; ++i) {
      const double g = static_cast<double>(gate[i]);
      const double u = static_cast<double>(up[i]);
      EXPECT_NEAR(silu[i], g / (1 + std::exp(-g)) * u, 4e-6) << g;
      EXPECT_NEAR(gelu[i], g / 2 * (1 + std::tanh(std::sqrt(2 / M_PI) * (g + 0.044715 * g * g * g))) * u, 4e-6) << g;
    }
  }
}

TEST_P(EveryKernel, GatesOfHugeValuesStayNumbers) {
  const std::vector<float> gate{-1e30f, -200, -90, 0, 90, 200, 1e30f, -1e38f};
  const std::vector<float> up(gate.size(), 1.0f);
  std::vector<float> out(gate.size());
  for (const auto kernel : {k.silu_gate, k.gelu_gate}) {
    kernel(out.data(), gate.data(), up.data(), gate.size());
    for (std::size_t i = 0; i < gate.size(); ++i) {
      EXPECT_NEAR(out[i], gate[i] > 0 ? gate[i] : 0, 1e-6 * std::abs(gate[i]) * (gate[i] > 0)) << gate[i];
    }
  }
}

TEST_P(EveryKernel, ExponentiateGivesMaximumAndSum) {
  for (const std::size_t n : kernel_lengths()) {
    const auto before = some_values(n, 10, 20);
    auto x = before;
    const auto [max, sum] = k.exponentiate(x.data(), n);
    double expected_sum = 0;
    float expected_max = -kInfinity;
    for (const float v : before) expected_max = std::max(expected_max, v);
    for (std::size_t i = 0; i < n; ++i) {
      const double e = std::exp(static_cast<double>(before[i]) - static_cast<double>(expected_max));
      expected_sum += e;
      EXPECT_NEAR(x[i], e, 4e-7);
    }
    EXPECT_EQ(max, expected_max);
    EXPECT_NEAR(sum, expected_sum, 4e-7 * expected_sum * std::sqrt(static_cast<double>(n)) + 1e-7);
  }
}

// What is no number stays in its own row, and in softmax and the norms reaches all of it.
TEST_P(EveryKernel, ExponentiateHandsNaNAndInfinityOn) {
  for (const std::size_t n : kernel_lengths()) {
    for (const float odd : {std::nanf(""), kInfinity}) {
      auto x = some_values(n, 10, 20);
      x[n / 2] = odd;
      EXPECT_TRUE(std::isnan(k.exponentiate(x.data(), n).sum)) << n << ", " << odd;
      EXPECT_TRUE(std::isnan(x[n / 2]));
    }
    if (n == 1) continue;
    auto x = some_values(n, 10, 20);
    x[n / 2] = -kInfinity;
    EXPECT_TRUE(std::isfinite(k.exponentiate(x.data(), n).sum)) << n;
    EXPECT_EQ(x[n / 2], 0.0f) << "nothing is as unlikely";
  }
}

TEST_P(EveryKernel, ExponentiateOfNothingButMinusInfinityIsNoNumber) {  // 0 / 0, as everywhere else
  for (const std::size_t n : kernel_lengths()) {
    std::vector<float> x(n, -kInfinity);
    const auto [max, sum] = k.exponentiate(x.data(), n);
    EXPECT_EQ(max, -kInfinity);
    EXPECT_TRUE(std::isnan(sum));
  }
}

TEST_P(EveryKernel, RmsNormHandsNaNToTheWholeRow) {
  for (const std::size_t n : kernel_lengths()) {
    auto x = some_values(n, 5);
    x[n - 1] = std::nanf("");
    const std::vector<float> weight(n, 1.0f);
    std::vector<float> out(n + 1, 7.0f);
    k.rms_norm(out.data(), x.data(), weight.data(), n, 1e-5f);
    for (std::size_t i = 0; i < n; ++i) EXPECT_TRUE(std::isnan(out[i])) << n;
    EXPECT_EQ(out[n], 7.0f) << "nothing behind the end";
  }
}

TEST_P(EveryKernel, GatesRotationAndAdditionKeepNaNWhereItIs) {
  for (const std::size_t n : kernel_lengths()) {
    const auto up = some_values(n, 9);
    for (const auto kernel : {k.silu_gate, k.gelu_gate}) {
      auto gate = some_values(n, 8);
      gate[n / 2] = std::nanf("");
      kernel(gate.data(), gate.data(), up.data(), n);
      for (std::size_t i = 0; i < n; ++i) EXPECT_EQ(std::isnan(gate[i]), i == n / 2) << n << " " << i;
    }
    auto sum = some_values(n, 8);
    sum[n - 1] = kInfinity;
    k.add(sum.data(), up.data(), n);
    for (std::size_t i = 0; i < n; ++i) EXPECT_EQ(std::isinf(sum[i]), i == n - 1) << n << " " << i;
    auto pairs = some_values(2 * n, 8);
    pairs[n / 2] = std::nanf("");
    k.rotate(pairs.data(), up.data(), up.data(), n);
    for (std::size_t i = 0; i < 2 * n; ++i) EXPECT_EQ(std::isnan(pairs[i]), i % n == n / 2) << n << " " << i;
  }
}

// Σ of a few products as an f32 holds it: with one rounding for each of them, or as infinity.
void expect_sum_of(float got, const std::vector<double>& terms) {
  double sum = 0, magnitude = 0;
  for (const double t : terms) sum += t, magnitude += std::fabs(t);
  constexpr double kLargest = std::numeric_limits<float>::max();
  if (std::isnan(sum)) {
    EXPECT_TRUE(std::isnan(got)) << got;
  } else if (std::fabs(sum) > kLargest) {
    EXPECT_EQ(got, sum > 0 ? kInfinity : -kInfinity);
  } else {
    EXPECT_NEAR(got, sum, static_cast<double>(terms.size()) * (kEpsilon / 2 * magnitude + 0x1p-149));
  }
}

TEST_P(EveryKernel, SumsAndProductsTakeZerosDenormalsHugeValuesAndNoNumbers) {
  const float odd[] = {0.0f, -0.0f,  0x1p-140f, -0x1.8p-145f, 0x1p-149f, 1e-38f,     -1e-38f,
                       1.0f, -3e38f, 3e38f,     1e30f,        kInfinity, -kInfinity, std::nanf("")};
  constexpr std::size_t kCount = std::size(odd);
  std::vector<float> x, y;  // every one beside every other
  for (const float a : odd) x.insert(x.end(), kCount, a), y.insert(y.end(), std::begin(odd), std::end(odd));
  const std::size_t n = x.size();
  const auto at = [](const std::vector<float>& values, std::size_t i) { return static_cast<double>(values[i]); };
  std::vector<float> sum = x, with_scaled = x, scaled = x, turned = x;
  k.add(sum.data(), y.data(), n);
  k.add_scaled(with_scaled.data(), 0.75f, y.data(), n);
  k.scale(scaled.data(), -2, n);
  turned.insert(turned.end(), y.begin(), y.end());
  const std::vector<float> cosine(n, 0.8f), sine(n, 0.6f);
  k.rotate(turned.data(), cosine.data(), sine.data(), n);
  for (std::size_t i = 0; i < n; ++i) {
    SCOPED_TRACE(testing::Message() << x[i] << " and " << y[i]);
    expect_sum_of(sum[i], {at(x, i), at(y, i)});
    expect_sum_of(with_scaled[i], {at(x, i), 0.75 * at(y, i)});
    expect_sum_of(scaled[i], {-2 * at(x, i)});
    expect_sum_of(turned[i], {at(x, i) * at(cosine, i), -at(y, i) * at(sine, i)});
    expect_sum_of(turned[i + n], {at(y, i) * at(cosine, i), at(x, i) * at(sine, i)});
  }
}

// As the definition in floats: what has no finite mean square is divided by infinity.
TEST_P(EveryKernel, RmsNormTakesDenormalsHugeValuesAndInfinity) {
  for (const std::size_t n : kernel_lengths()) {
    const std::vector<float> ones(n, 1.0f), denormal(n, 0x1p-140f), huge(n, 1e30f);
    std::vector<float> infinite(n, 1.0f), out(n);
    infinite[n / 2] = kInfinity;
    k.rms_norm(out.data(), denormal.data(), ones.data(), n, 0x1p-20f);
    for (const float v : out) EXPECT_EQ(v, 0x1p-130f) << n;
    k.rms_norm(out.data(), huge.data(), ones.data(), n, 1e-5f);
    EXPECT_EQ(out, std::vector<float>(n)) << n;
    k.rms_norm(out.data(), infinite.data(), ones.data(), n, 1e-5f);
    for (std::size_t i = 0; i < n; ++i) {
      if (i == n / 2) {
        EXPECT_TRUE(std::isnan(out[i])) << n;
      } else {
        EXPECT_EQ(out[i], 0.0f) << n;
      }
    }
  }
}

TEST_P(EveryKernel, RoundToF16IsTheDefinition) {
  std::vector<float> x = {0.0f,       -0.0f,    0x1p-25f,  0x1.8p-25f, 0x1p-24f,     -0x1p-140f,
                          65504.0f,   65519.0f, 65520.0f,  -3e38f,     1.0f,         0x1.002p0f,
                          0x1.006p0f, 1e-5f,    kInfinity, -kInfinity, 0x1.ffcp-15f, -2.5f};
  for (const float v : some_values(1000, 21, 70000)) x.push_back(v);
  for (const float v : some_values(1000, 22, 1e-4f)) x.push_back(v);
  for (const std::size_t n : {std::size_t{1}, std::size_t{17}, x.size() - 3, x.size()}) {
    std::vector<std::uint16_t> f16s(n + 1, 99);
    k.round_to_f16(f16s.data(), x.data(), n);
    for (std::size_t i = 0; i < n; ++i) EXPECT_EQ(f16s[i], to_f16(x[i]).bits) << x[i];
    EXPECT_EQ(f16s[n], 99) << "nothing behind the end";
  }
  const std::vector<float> none(33, std::nanf(""));
  std::vector<std::uint16_t> f16s(33);
  k.round_to_f16(f16s.data(), none.data(), none.size());
  for (const std::uint16_t half : f16s) EXPECT_TRUE(std::isnan(to_f32(f16{half})));
}

TEST_P(EveryKernel, QuantizeKeepsNaNAndInfinityInTheirBlock) {
  for (const float odd : {std::nanf(""), kInfinity, -kInfinity}) {
    auto x = some_values(96, 12);
    x[40] = odd;
    std::vector<ActivationBlock> blocks(3);
    k.quantize(blocks.data(), x.data(), 96);
    for (std::size_t b = 0; b < 3; ++b) EXPECT_EQ(std::isfinite(blocks[b].scale), b != 1) << b << " " << odd;
    EXPECT_FALSE(std::isfinite(blocks[1].sum));
    std::vector<std::int8_t> bytes(96);
    std::vector<std::uint16_t> scales(3);
    k.round_to_q8(bytes.data(), scales.data(), x.data(), 96);
    for (std::size_t b = 0; b < 3; ++b) EXPECT_EQ(std::isfinite(to_f32(f16{scales[b]})), b != 1) << b << " " << odd;
    EXPECT_FALSE(std::isfinite(to_f32(f16{scales[1]}) * static_cast<float>(bytes[40]))) << "what was no number is none";
  }
}

TEST_P(EveryKernel, QuantizeIsItsDefinitionInEveryBlock) {
  for (const std::size_t count : {1u, 15u, 16u, 17u, 32u, 33u, 48u}) {
    std::vector<float> x(32 * count);
    for (std::size_t i = 0; i < x.size(); ++i) {
      x[i] = static_cast<float>(i * i % 251) - 125.0f + static_cast<float>(i / 32);
    }
    std::vector<ActivationBlock> blocks(count + 1);
    blocks[count].scale = 77;
    k.quantize(blocks.data(), x.data(), x.size());
    EXPECT_EQ(blocks[count].scale, 77.0f) << "nothing is written behind the end";
    for (std::size_t b = 0; b < count; ++b) {
      SCOPED_TRACE(testing::Message() << "block " << b << " of " << count);
      float largest = 0;
      std::int32_t sums[2] = {};
      for (std::size_t i = 0; i < 32; ++i) {
        const float value = x[32 * b + i];
        largest = std::max(largest, std::abs(value));
        sums[i / 16] += blocks[b].q[i];
        const double scale = static_cast<double>(blocks[b].scale);
        EXPECT_NEAR(scale * blocks[b].q[i], static_cast<double>(value), 0.5001 * scale);
      }
      EXPECT_EQ(blocks[b].scale, largest / 127.0f);
      EXPECT_EQ(blocks[b].sum, blocks[b].scale * static_cast<float>(sums[0] + sums[1]));
      EXPECT_EQ(blocks[b].minus_first, -sums[0]);
      EXPECT_EQ(blocks[b].minus_sum, -sums[0] - sums[1]);
    }
  }
}

TEST_P(EveryKernel, RoundToQ8GivesEvery32AScale) {
  for (const std::size_t n : kernel_lengths()) {
    for (const float size : {0.0f, 1e-42f, 1e-3f, 5.0f, 1e6f}) {
      const auto x = some_values(n, 13, size);
      std::vector<std::int8_t> bytes(n + 1, 99), plain_bytes(n);
      std::vector<std::uint16_t> scales((n + 31) / 32 + 1, 99), plain_scales((n + 31) / 32);
      k.round_to_q8(bytes.data(), scales.data(), x.data(), n);
      EXPECT_EQ(bytes[n], 99) << "nothing behind the end";
      EXPECT_EQ(scales.back(), 99);
      for (std::size_t i = 0; i < n; ++i) {
        float largest = 0;
        for (std::size_t j = i / 32 * 32; j < std::min(n, i / 32 * 32 + 32); ++j) {
          largest = std::max(largest, std::fabs(x[j]));
        }
        // Half a step of the byte, and 127 times what rounding the scale to f16 may be off: 2⁻¹¹ of it, or half of the
        // least f16.
        const double tolerance = static_cast<double>(largest) / 254 +
                                 127 * std::max(static_cast<double>(largest) / 127 * 0x1p-11, 0x1p-25) + 1e-45;
        EXPECT_NEAR(to_f32(f16{scales[i / 32]}) * static_cast<float>(bytes[i]), x[i], tolerance)
            << n << ", size " << size;
      }
      supported_kernels().back()->round_to_q8(plain_bytes.data(), plain_scales.data(), x.data(), n);
      bytes.pop_back();
      scales.pop_back();
      EXPECT_EQ(bytes, plain_bytes) << "the bits of the plain set";
      EXPECT_EQ(scales, plain_scales);
    }
  }
}

INSTANTIATE_TEST_SUITE_P(Sets, EveryKernel, testing::ValuesIn(supported_kernels().begin(), supported_kernels().end()),
                         [](const auto& parameter) { return std::string(parameter.param->name); });

TEST(SupportedKernels, EndWithScalar) { EXPECT_EQ(supported_kernels().back()->name, "scalar"); }

}  // namespace
}  // namespace rung
