// Our own generator and exponential.
#include <gtest/gtest.h>

#include <cmath>
#include <cstdint>

#include "engine/random.h"

namespace rung {
namespace {

// The first outputs of xoshiro256** from the state that splitmix64 makes of seed 0, computed from the definitions with
// Python's integers.
TEST(Random, IsXoshiro256StarStarSeededBySplitmix64) {
  Random random(0);
  EXPECT_EQ(random.next(), 0x99ec5f36cb75f2b4u);
  EXPECT_EQ(random.next(), 0xbf6e1f784956452au);
  EXPECT_EQ(random.next(), 0x1a5f849d4933e6e0u);
}

TEST(Random, UniformLiesInTheHalfOpenUnitInterval) {
  Random random(7);
  double sum = 0;
  for (int i = 0; i < 100000; ++i) {
    const double u = random.uniform();
    ASSERT_GE(u, 0);
    ASSERT_LT(u, 1);
    sum += u;
  }
  EXPECT_NEAR(sum / 100000, 0.5, 5 / std::sqrt(12.0 * 100000));  // five standard deviations
}

TEST(PortableExp, AgreesWithTheLibraryToTheLastBits) {
  for (double x = 0; x > -700; x -= 0.037) EXPECT_NEAR(portable_exp(x) / std::exp(x), 1, 4e-16) << x;
  EXPECT_EQ(portable_exp(0), 1);
  EXPECT_EQ(portable_exp(-1e9), 0);
  EXPECT_EQ(portable_exp(-INFINITY), 0);
}

}  // namespace
}  // namespace rung
