// Every kernel of every set that this machine supports, at every tail length, against sums in double precision.
//
// Tolerances are derived: a sum of n terms tᵢ in f32, however it is ordered, is off by about ε·√n·√(Σtᵢ²) when rounding errors are independent;
// twice that, as the style of this project has it.
#include <gtest/gtest.h>

#include <cmath>
#include <cstdint>
#include <limits>
#include <vector>

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

// 1 to 40 covers every tail of 16 and 32 lanes; then sizes of real models.
std::vector<std::size_t> lengths() {
  std::vector<std::size_t> all;
  for (std::size_t n = 1; n <= 40; ++n) all.push_back(n);
  all.insert(all.end(), {64, 127, 576, 640, 1000, 1536});
  return all;
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
  for (const std::size_t n : lengths()) {
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
  for (const std::size_t n : lengths()) {
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
  for (const std::size_t n : lengths()) {
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
  for (const std::size_t n : lengths()) {
    const auto x = some_values(n, 5, 3);
    const auto weight = some_values(n, 6);
    double squares = 0;
    for (const float v : x) squares += static_cast<double>(v) * static_cast<double>(v);
    const double inverse = 1 / std::sqrt(squares / static_cast<double>(n) + 1e-5);
    std::vector<float> out(n);
    k.rms_norm(out.data(), x.data(), weight.data(), n, 1e-5f);
    for (std::size_t i = 0; i < n; ++i) EXPECT_NEAR(out[i], static_cast<double>(x[i]) * inverse * static_cast<double>(weight[i]), 2e-6) << n;
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
  for (const std::size_t n : lengths()) {
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
    for (std::size_t i = 0; i < gate.size(); ++i) EXPECT_NEAR(out[i], gate[i] > 0 ? gate[i] : 0, 1e-6 * std::abs(gate[i]) * (gate[i] > 0)) << gate[i];
  }
}

TEST_P(EveryKernel, ExponentiateGivesMaximumAndSum) {
  for (const std::size_t n : lengths()) {
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

INSTANTIATE_TEST_SUITE_P(Sets, EveryKernel, testing::ValuesIn(supported_kernels().begin(), supported_kernels().end()),
                         [](const auto& parameter) { return std::string(parameter.param->name); });

TEST(SupportedKernels, EndWithScalar) { EXPECT_EQ(supported_kernels().back()->name, "scalar"); }

}  // namespace
}  // namespace rung
