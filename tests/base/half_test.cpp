// The 16-bit floats, against what IEEE 754 and the definition of bf16 say.
#include <gtest/gtest.h>

#include <cmath>

#include "base/half.h"

namespace rung {
namespace {

TEST(F16, EveryValueSurvivesTheRoundTrip) {
  for (std::uint32_t bits = 0; bits < 0x10000u; ++bits) {
    const f16 h{static_cast<std::uint16_t>(bits)};
    const float value = to_f32(h);
    if (std::isnan(value)) {
      EXPECT_TRUE(std::isnan(to_f32(to_f16(value))));
    } else {
      EXPECT_EQ(to_f16(value).bits, h.bits);
    }
  }
}

TEST(F16, RoundsToNearestTiesToEven) {
  EXPECT_EQ(to_f16(1.0f).bits, 0x3c00);
  EXPECT_EQ(to_f16(1.0f + 0x1p-11f).bits, 0x3c00);      // a tie, down to even
  EXPECT_EQ(to_f16(1.0f + 3 * 0x1p-11f).bits, 0x3c02);  // a tie, up to even
  EXPECT_EQ(to_f16(1.0f + 0x1p-11f + 0x1p-20f).bits, 0x3c01);
  EXPECT_EQ(to_f16(65519.0f).bits, 0x7bff);
  EXPECT_EQ(to_f16(65520.0f).bits, 0x7c00);
  EXPECT_EQ(to_f16(0x1p-25f).bits, 0x0000);  // a tie with zero
  EXPECT_EQ(to_f16(0x1.8p-25f).bits, 0x0001);
  EXPECT_EQ(to_f16(-0.0f).bits, 0x8000);
}

TEST(Bf16, RoundsToNearestTiesToEven) {
  EXPECT_EQ(to_bf16(1.0f).bits, 0x3f80);
  EXPECT_EQ(to_bf16(1.0f + 0x1p-8f).bits, 0x3f80);
  EXPECT_EQ(to_bf16(1.0f + 3 * 0x1p-8f).bits, 0x3f82);
  EXPECT_TRUE(std::isnan(to_f32(to_bf16(std::nanf("")))));
  EXPECT_EQ(to_f32(bf16{0x7f80}), INFINITY);
}

}  // namespace
}  // namespace rung
