// Every kernel that works along vectors, by every set that this machine supports: what the plain set gives, within
// rounding, at every tail length, and not a value beyond the end.
#include <gtest/gtest.h>

#include <algorithm>
#include <cmath>
#include <limits>
#include <string>
#include <tuple>

#include "kernels/cases.h"

namespace rung {
namespace {

constexpr float kBeyond = 77.0f;

class Vectors : public testing::TestWithParam<std::tuple<const Kernels*, VectorCase>> {
 protected:
  static std::vector<float> some_values(std::size_t n, std::uint32_t seed) {
    std::vector<float> values(n);
    for (float& v : values) {
      seed = seed * 1664525u + 1013904223u;
      v = static_cast<float>(seed >> 8) * 0x1p-23f - 1.0f;
    }
    return values;
  }
  std::vector<float> run(const Kernels& kernels, const std::vector<float>& a, const std::vector<float>& b) const {
    std::vector<float> out = a;
    out.push_back(kBeyond);
    std::get<1>(GetParam()).run(kernels, out.data(), a.data(), b.data(), a.size());
    return out;
  }
};

TEST_P(Vectors, GiveWhatThePlainSetGivesAndNothingBeyond) {
  const auto& [kernels, what] = GetParam();
  std::vector<std::size_t> lengths = kernel_lengths();
  for (std::size_t& n : lengths) n = (n + what.multiple - 1) / what.multiple * what.multiple;
  for (const std::size_t n : lengths) {
    const std::vector<float> a = some_values(n, 1), b = some_values(n, 2);
    const std::vector<float> mine = run(*kernels, a, b), plain = run(*supported_kernels().back(), a, b);
    EXPECT_EQ(mine[n], kBeyond) << "n = " << n;
    for (std::size_t i = 0; i < (what.one_output ? 1 : n); ++i) {
      // A sum of n terms of at most 1 rounds n times; where values become integers, the last bit before may decide for
      // the next one.
      double tolerance = static_cast<double>(std::numeric_limits<float>::epsilon()) * static_cast<double>(n + 8) *
                         (1 + std::fabs(static_cast<double>(plain[i])));
      if (std::string(what.name) == "quantize" || std::string(what.name) == "round_to_q8") tolerance = 1.01 / 127;
      ASSERT_NEAR(mine[i], plain[i], tolerance) << "n = " << n << ", value " << i;
    }
  }
}

INSTANTIATE_TEST_SUITE_P(EverySet, Vectors,
                         testing::Combine(testing::ValuesIn(supported_kernels().begin(), supported_kernels().end()),
                                          testing::ValuesIn(kVectorCases)),
                         [](const testing::TestParamInfo<std::tuple<const Kernels*, VectorCase>>& parameter) {
                           return std::string(std::get<0>(parameter.param)->name) + "_" +
                                  std::get<1>(parameter.param).name;
                         });

}  // namespace
}  // namespace rung
