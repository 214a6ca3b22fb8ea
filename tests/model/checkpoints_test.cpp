// The comparison itself: it must see what differs, and name the first.
#include <gtest/gtest.h>

#include <cmath>

#include "model/checkpoints.h"

namespace rung {
namespace {

using Values = std::map<std::string, CheckpointValues>;

const std::vector<std::string> kOrder{"embedding", "layer.0.q", "layer.1.q", "logits"};

Values sample() {
  return {{"embedding", {{2, 3}, {1, 2, 3, 4, 5, 6}}},
          {"layer.0.q", {{2, 1, 2}, {1, -1, 100, 100}}},
          {"layer.1.q", {{2, 1, 2}, {3, 4, -30, 40}}},
          {"logits", {{2, 2}, {100, 100, 1, 2}}}};
}

std::optional<Difference> compare(const Values& ours) {
  return compare_checkpoints(ours, kOrder, [](const std::string& name) { return sample().at(name); });
}

TEST(CompareCheckpoints, EqualTensorsDoNotDiffer) { EXPECT_FALSE(compare(sample())); }

TEST(CompareCheckpoints, SmallNoiseIsNoDifference) {
  Values ours = sample();
  ours["layer.1.q"].values[3] += 50 * 0.9e-4f;  // of a row of length 50
  EXPECT_FALSE(compare(ours));
}

TEST(CompareCheckpoints, NamesTheFirstCheckpointInTheOrderOfTheForwardPass) {
  Values ours = sample();
  ours["layer.1.q"].values[0] += 1;
  ours["logits"].values[0] += 1;
  const auto difference = compare(ours);
  ASSERT_TRUE(difference);
  EXPECT_EQ(difference->checkpoint, "layer.1.q");
  EXPECT_EQ(difference->token, 0u);
  EXPECT_EQ(difference->text(),
            "the first checkpoint that differs is layer.1.q (layer 1), token row 0: "
            "|ours - official| is 0.2·|official|, allowed 1e-04");
}

TEST(CompareCheckpoints, JudgesEachRowByItsOwnLength) {
  Values ours = sample();
  ours["layer.0.q"].values[1] += 2e-4f;  // would drown in the second row, which is 100 times as long
  const auto difference = compare(ours);
  ASSERT_TRUE(difference);
  EXPECT_EQ(difference->checkpoint, "layer.0.q");
  EXPECT_EQ(difference->token, 0u);
}

TEST(CompareCheckpoints, NamesTheRow) {
  Values ours = sample();
  ours["embedding"].values[5] = 7;
  ASSERT_TRUE(compare(ours));
  EXPECT_EQ(compare(ours)->token, 1u);
}

TEST(CompareCheckpoints, HoldsEveryLogitToItsOwnBound) {
  Values ours = sample();
  ours["logits"].values[0] += 2e-3f;  // 1.4e-5 of the row
  const auto difference = compare(ours);
  ASSERT_TRUE(difference);
  EXPECT_EQ(difference->checkpoint, "logits");
}

TEST(CompareCheckpoints, NotANumberDiffers) {
  Values ours = sample();
  ours["layer.0.q"].values[2] = std::nanf("");
  ASSERT_TRUE(compare(ours));
  EXPECT_EQ(compare(ours)->checkpoint, "layer.0.q");
}

TEST(CompareCheckpoints, AMissingCheckpointAndAnotherShapeDiffer) {
  Values missing = sample();
  missing.erase("layer.0.q");
  ASSERT_TRUE(compare(missing));
  EXPECT_EQ(compare(missing)->what, "it is missing");
  Values turned = sample();
  turned["layer.0.q"].shape = {2, 2, 1};
  ASSERT_TRUE(compare(turned));
  EXPECT_EQ(compare(turned)->what, "it is [2, 2, 1], expected [2, 1, 2]");
}

TEST(Trace, AppendsTheRowsOfLaterRuns) {
  Trace trace;
  const std::vector<float> values{1, 2, 3, 4};
  trace.add({"q", 3}, {values, {2, 1, 2}, {}});
  trace.add({"q", 3}, {std::span(values).first(2), {1, 1, 2}, {}});
  const CheckpointValues& kept = trace.checkpoints().at("layer.3.q");
  EXPECT_EQ(kept.shape, (std::vector<std::size_t>{3, 1, 2}));
  EXPECT_EQ(kept.values, (std::vector<float>{1, 2, 3, 4, 1, 2}));
}

}  // namespace
}  // namespace rung
