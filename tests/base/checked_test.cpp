// Sums and products that are exact, or nothing.
#include <gtest/gtest.h>

#include "base/checked.h"

namespace rung {
namespace {

constexpr std::uint64_t kMost = ~std::uint64_t{0};

TEST(Checked, SumsUpToTheLargestNumber) {
  EXPECT_EQ(checked_add(2, 3), 5u);
  EXPECT_EQ(checked_add(kMost, 0), kMost);
  EXPECT_EQ(checked_add(kMost - 1, 1), kMost);
  EXPECT_EQ(checked_add(kMost, 1), std::nullopt);
  EXPECT_EQ(checked_add(kMost / 2 + 1, kMost / 2 + 1), std::nullopt);
}

TEST(Checked, ProductsUpToTheLargestNumber) {
  EXPECT_EQ(checked_mul(6, 7), 42u);
  EXPECT_EQ(checked_mul(kMost, 0), 0u);
  EXPECT_EQ(checked_mul(0, kMost), 0u);
  EXPECT_EQ(checked_mul(kMost, 1), kMost);
  EXPECT_EQ(checked_mul(kMost / 3, 3), kMost);
  EXPECT_EQ(checked_mul(kMost / 3 + 1, 3), std::nullopt);
  EXPECT_EQ(checked_mul(std::uint64_t{1} << 32, std::uint64_t{1} << 32), std::nullopt);
}

}  // namespace
}  // namespace rung
