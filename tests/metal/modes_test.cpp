// Every kernel of ours, and a model, in every mode of the emulator: what `rung metal-check` does on a Mac.
#include <gtest/gtest.h>

#include <map>
#include <string>

#include "engine/tiny_model.h"
#include "measure/metal_check.h"
#include "metal/emulator_for_tests.h"
#include "metal/fake/fake_metal.h"

namespace rung {
namespace {

class MetalModes : public testing::TestWithParam<metal_emulator::Mode> {
 protected:
  static MetalReport checked_in(const metal_emulator::Mode& mode) {
    fake_metal::settings() = {};
    fake_metal::settings().build = mode.build;
    fake_metal::settings().options = mode.options;
    fake_metal::reset();
    const TinyModel files;
    MetalReport report = check_metal(LoadedModel(ModelFiles::open(files.path())), [](const MetalCheck&) {});
    EXPECT_EQ(fake_metal::report().findings, std::vector<std::string>{});
    fake_metal::settings() = {};
    return report;
  }
};

// Within the kernel's tolerance in all; the bits of the first in those that only change who comes first.
TEST_P(MetalModes, FindNothing) {
  static const MetalReport in_order = checked_in(metal_emulator::modes().front());
  const MetalReport report = checked_in(GetParam());
  ASSERT_EQ(report.checks.size(), in_order.checks.size());
  for (std::size_t i = 0; i < report.checks.size(); ++i) {
    const MetalCheck& check = report.checks[i];
    EXPECT_TRUE(check.passed()) << check.name << ": " << check.distance << " of " << check.allowed;
    if (GetParam().keeps_bits) {
      EXPECT_EQ(check.distance, in_order.checks[i].distance) << check.name;
    }
  }
}

INSTANTIATE_TEST_SUITE_P(All, MetalModes, testing::ValuesIn(metal_emulator::modes()), [](const auto& mode) {
  std::string name = mode.param.name;
  std::replace(name.begin(), name.end(), ' ', '_');
  return name;
});

}  // namespace
}  // namespace rung
