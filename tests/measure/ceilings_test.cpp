#include "measure/ceilings.h"

#include <gtest/gtest.h>

namespace rung {
namespace {

TEST(CeilingMeter, ReadsWhatWasAskedForInPiecesOfAMegabyteForEachThread) {
  constexpr std::size_t kRound = std::size_t{2} << 20;
  ThreadTeam team(2);
  CeilingMeter meter(team);
  EXPECT_EQ(meter.read_some(0).bytes, 0);
  EXPECT_EQ(meter.read_some(1).bytes, static_cast<double>(kRound));
  EXPECT_EQ(meter.read_some(3 * kRound).bytes, static_cast<double>(3 * kRound));
  const std::size_t more_than_all = meter.buffer_bytes() / kRound * kRound + 2 * kRound;  // it begins again
  const CeilingMeter::Reading reading = meter.read_some(more_than_all);
  EXPECT_EQ(reading.bytes, static_cast<double>(more_than_all));
  EXPECT_GT(reading.seconds, 0);
}

}  // namespace
}  // namespace rung
