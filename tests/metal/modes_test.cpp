// Every kernel of ours, and a model, in every mode of the emulator: what `rung metal-check` does on a Mac.
#include <gtest/gtest.h>

#include <random>
#include <string>
#include <vector>

#include "engine/session.h"
#include "engine/tiny_model.h"
#include "measure/metal_check.h"
#include "metal/emulator_for_tests.h"
#include "metal/fake/fake_metal.h"
#include "metal/verbs_for_tests.h"
#include "model/golden_model.h"
#include "paths.h"

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

  // A product in every format, of a token and of nine; two models' logits after 70 tokens and after one more.
  static std::vector<std::vector<float>> bits_in(const metal_emulator::Mode& mode) {
    fake_metal::settings().build = mode.build;
    fake_metal::settings().options = mode.options;
    fake_metal::reset();
    std::vector<std::vector<float>> all;
    {
      MetalOps metal;
      std::mt19937 random(1);
      for (const DTypeInfo& type : kDTypes) {
        const AnyMatrix matrix(type.type, 13, 512, random);
        for (const std::size_t tokens : {1u, 9u}) {
          const Buffer<float> x(tokens * 512, metal.memory(tokens * 512 * sizeof(float))),
              out(tokens * 13, metal.memory(tokens * 13 * sizeof(float)));
          for (std::size_t i = 0; i < x.size(); ++i) x.data()[i] = static_cast<float>(i * 37 % 101) / 101.0f - 0.5f;
          metal.do_linear({out.data(), {tokens, 13}}, {x.data(), {tokens, 512}}, matrix.w);
          metal.finish();
          all.emplace_back(out.data(), out.data() + out.size());
        }
      }
    }
    for (const char* name : {"qwen3", "gemma3"}) {
      const GoldenFiles files(golden_folder() / "models" / name);
      const Model model = bind_weights(files.plan, files.tensors());
      MetalOps metal;
      Session session(model, metal);
      std::vector<std::int32_t> ids;
      for (std::int32_t i = 0; i < 70; ++i) ids.push_back(i * 37 % 160);
      const auto keep = [&](std::span<const float> logits) { all.emplace_back(logits.begin(), logits.end()); };
      keep(session.feed(ids));
      keep(session.feed(std::span(ids).first(1)));
    }
    EXPECT_EQ(fake_metal::report().findings, std::vector<std::string>{});
    fake_metal::settings() = {};
    return all;
  }
};

// Within the kernel's tolerance in all.
TEST_P(MetalModes, FindNothing) {
  const MetalReport report = checked_in(GetParam());
  EXPECT_FALSE(report.checks.empty());
  for (const MetalCheck& check : report.checks) {
    EXPECT_TRUE(check.passed()) << check.name << ": " << check.distance << " of " << check.allowed;
  }
}

// The very bits of the first in those modes that only change who comes first: three seeds, which shuffle lanes, SIMD
// groups and threadgroups, and those that only look.
TEST_P(MetalModes, KeepTheBits) {
  if (!GetParam().keeps_bits) return;
  static const std::vector<std::vector<float>> in_order = bits_in(metal_emulator::modes().front());
  EXPECT_EQ(bits_in(GetParam()), in_order);
}

INSTANTIATE_TEST_SUITE_P(All, MetalModes, testing::ValuesIn(metal_emulator::modes()), [](const auto& mode) {
  std::string name = mode.param.name;
  std::replace(name.begin(), name.end(), ' ', '_');
  return name;
});

}  // namespace
}  // namespace rung
