#include "ops/ceilings.h"

#include <gtest/gtest.h>

namespace rung {
namespace {

constexpr std::size_t kMegabyte = std::size_t{1} << 20;

TEST(CeilingMeter, ReadsAsMuchAsWasAskedForInWholePieces) {
  ThreadTeam team(2);
  CeilingMeter meter(team);
  EXPECT_EQ(meter.read_some(1).bytes, static_cast<double>(kMegabyte)) << "a piece is a megabyte";
  EXPECT_EQ(meter.read_some(5 * kMegabyte).bytes, static_cast<double>(5 * kMegabyte));
  const std::size_t more_than_all = meter.buffer_bytes() + 3 * kMegabyte;  // it begins again
  const CeilingMeter::Reading reading = meter.read_some(more_than_all);
  EXPECT_EQ(reading.bytes, static_cast<double>(more_than_all));
  EXPECT_GT(reading.seconds, 0);
}

TEST(CeilingMeter, ReadsNothingInNoTime) {
  ThreadTeam team(1);
  CeilingMeter meter(team);
  EXPECT_EQ(meter.read_some(0).bytes, 0);
  EXPECT_EQ(meter.read_some(0).seconds, 0);
}

}  // namespace
}  // namespace rung
