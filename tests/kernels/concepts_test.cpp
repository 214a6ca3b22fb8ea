// What kernels/lanes/concepts.h asks of a lane set and a format: a member that is missing, misspelt or of another kind
// is an error where the kernels are made, not a slower or another way in silence.
#include <gtest/gtest.h>

#include <algorithm>
#include <cmath>
#include <concepts>
#include <cstdint>
#include <cstring>
#include <initializer_list>

#include "kernels/kernels.h"
#include "kernels/target.h"
#include "tensor/blocks.h"

namespace rung {
namespace {

[[maybe_unused]] float sum_lanes(const float (&lane)[16]) { return lane[0]; }

#include "kernels/scalar/lanes.h"
#include "kernels/lanes/formats.h"

struct NoTable : Lanes {
 private:
  using Lanes::look_up;
};

struct NoPlainTokens : Lanes {
 private:
  using Lanes::kPlainTokens;
};

struct OtherRegisters : Lanes {
  static constexpr int kFewRegisters = 0;  // not a yes or a no
};

struct NoDot : Lanes {
  template <bool kSigned>
  struct Dot {};
};

TEST(LaneSet, IsWhatHasEveryMember) {
  EXPECT_TRUE(LaneSet<Lanes>);
  EXPECT_FALSE(LaneSet<NoTable>);
  EXPECT_FALSE(LaneSet<NoPlainTokens>);
  EXPECT_FALSE(LaneSet<OtherRegisters>);
  EXPECT_FALSE(LaneSet<NoDot>);
}

struct NoQuants : Q4_0<Lanes> {
 private:
  using Q4_0<Lanes>::quants;
};

struct OtherMins : Q4_1<Lanes> {
  static constexpr int kHasMins = 1;
};

struct NoScales : Q4_K<Lanes> {
  struct Scales {
    void read(const std::byte*) {}
  };
};

TEST(WeightFormat, IsWhatHasEveryMember) {
  EXPECT_TRUE((WeightFormat<Q4_K<Lanes>, Lanes>));
  EXPECT_FALSE((WeightFormat<NoQuants, Lanes>));
  EXPECT_FALSE((WeightFormat<OtherMins, Lanes>));
  EXPECT_FALSE((WeightFormat<NoScales, Lanes>));
}

}  // namespace
}  // namespace rung
