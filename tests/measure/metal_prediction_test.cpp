// What is foretold of a Mac: the formula by hand, its chips, and how near it comes to what others measured.
#include "measure/metal_prediction.h"

#include <gtest/gtest.h>

#include <algorithm>

namespace rung {
namespace {

TEST(MetalPrediction, IsBytesByBandwidthAndDispatchesAndAWait) {
  const MacChip chip{"M", 10, 100};
  const MetalPrediction p = predict_metal(chip, 1.6e9, 400);  // 1.6 GB ÷ 80 GB/s = 20 ms; 400 · 2.5 µs = 1 ms
  EXPECT_NEAR(p.memory_seconds, 20e-3, 1e-12);
  EXPECT_NEAR(p.dispatch_seconds, 1e-3, 1e-12);
  EXPECT_NEAR(p.least_seconds, 21.15e-3, 1e-12);
  EXPECT_NEAR(p.most_seconds, 21.36e-3, 1e-12);
  EXPECT_LT(p.least_per_second(), p.most_per_second());
}

TEST(MetalPrediction, KnowsChipsHoweverTheyAreSpelt) {
  for (const char* name : {"M1", "M2 Pro", "M4 Max", "M5 Max"}) ASSERT_NE(find_mac_chip(name), nullptr) << name;
  for (const char* name : {"m2 pro", "M2-Pro", "Apple M2 Pro", "m2pro"}) {
    ASSERT_NE(find_mac_chip(name), nullptr) << name;
    EXPECT_EQ(find_mac_chip(name)->gb_per_s, 200) << name;
  }
  for (const char* name : {"M9", "M2 Mega", "", "Apple"}) EXPECT_EQ(find_mac_chip(name), nullptr) << name;
  EXPECT_NE(mac_chip_names().find("M1 Max, M2, M2 Pro"), std::string::npos) << mac_chip_names();
}

// LLaMA 7B on an M1, Q8_0, by hand: 32 layers of 202,375,168 weights and a head of 131,072,000, 1.0625 bytes each;
// keys and values of 65 tokens, 2 · 4096 · 2 bytes a layer; 32 · 25 + 4 dispatches. llama.cpp reads 83% of 68 GB/s.
TEST(MetalBackTest, IsTheFormulaForLlama7B) {
  const double bytes = (32 * 202375168.0 + 131072000.0) * 1.0625 + 32 * 65 * 16384.0;
  const double seconds = bytes / (0.8 * 68e9) + 804 * 2.5e-6;
  const BackTest test = back_test_metal();
  const auto found = std::find_if(test.numbers.begin(), test.numbers.end(),
                                  [](const auto& n) { return n.chip == "M1" && n.format == "Q8_0"; });
  ASSERT_NE(found, test.numbers.end());
  EXPECT_NEAR(found->predicted_per_second, (1 / (seconds + 150e-6) + 1 / (seconds + 360e-6)) / 2, 1e-9);
  EXPECT_NEAR(found->measured_per_second, 0.83 * 68e9 / (6.67 * 1024 * 1024 * 1024), 1e-9);
}

// What bench/README.md says of it.
TEST(MetalBackTest, SaysHowFarTheFormulaIsOff) {
  const BackTest test = back_test_metal();
  EXPECT_EQ(test.numbers.size(), 37u);
  EXPECT_NEAR(test.mean(), 0.072, 0.0005);
  EXPECT_NEAR(test.worst().off(), 0.299, 0.0005);
  EXPECT_EQ(test.worst().chip, "M2 Ultra");
  EXPECT_EQ(test.worst().format, "Q4_0");
  for (const auto& n : test.numbers) {
    if (n.chip == "M2 Ultra" || n.chip == "M1 Max") continue;
    EXPECT_LT(std::abs(n.off()), 0.18) << n.chip << ", " << n.format;
  }
}

}  // namespace
}  // namespace rung
