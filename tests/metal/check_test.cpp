// `rung metal-check`: what it says of a GPU that does not do all, and what becomes of its verdict.
#include <gtest/gtest.h>

#include <fstream>

#include "base/error.h"
#include "base/json.h"
#include "engine/tiny_model.h"
#include "files/temporary_folder.h"
#include "measure/metal_check.h"
#include "metal/fake/fake_metal.h"

namespace rung {
namespace {

class MetalCheckTest : public testing::Test {
 protected:
  void SetUp() override { fake_metal::settings() = {}, fake_metal::reset(); }
  void TearDown() override { fake_metal::settings() = {}; }

  static MetalReport report() {
    const TinyModel files;
    return check_metal(LoadedModel(ModelFiles::open(files.path())), [](const MetalCheck&) {});
  }
};

// A GPU may lack what one kernel wants: a virtual machine's, say.
TEST_F(MetalCheckTest, GoesOnAfterWhatTheGpuRefuses) {
  fake_metal::settings() = {.device_name = "Apple Paravirtual device",
                            .apple_family = 5,
                            .runs_kernels = false,
                            .fail_selector = "newComputePipelineStateWithFunction:error:",
                            .fail_call = 1};
  const MetalReport found = report();
  EXPECT_TRUE(found.is_virtual);
  EXPECT_GT(found.checks.size(), 60u);
  EXPECT_EQ(found.checks[0].name, "linear f32");
  EXPECT_EQ(found.checks[0].problem, "Apple Paravirtual device: kernel embed: no reason given");
  EXPECT_FALSE(found.checks[0].passed());
  for (std::size_t i = 1; i < found.checks.size(); ++i) EXPECT_EQ(found.checks[i].problem, "") << found.checks[i].name;
  EXPECT_EQ(json_of(found)["checks"][0]["problem"], found.checks[0].problem);
  EXPECT_EQ(json_of(found)["passed"], false);
}

class MetalVerdict : public MetalCheckTest {
 protected:
  std::optional<std::string> doubt(const std::string& gpu = "Apple M2") const {
    return doubt_about_metal(gpu, folder_ / kVerdictFile);
  }
  void keep(const MetalReport& kept) const { std::ofstream(folder_ / kVerdictFile) << json_of(kept).dump(); }
  // A report as this system would write it.
  static MetalReport one_of(const std::string& gpu, double distance) {
    fake_metal::settings().runs_kernels = false;
    static const std::string system = report().system;
    MetalReport made{gpu, system};
    made.checks.push_back({"add", distance, 1e-5});
    return made;
  }
  const TemporaryFolder folder_;
};

TEST_F(MetalVerdict, IsAskedForWhereThereIsNone) {
  EXPECT_EQ(doubt(), "nobody has checked yet whether Apple M2 computes what it should: `rung metal-check` does");
  std::ofstream(folder_ / kVerdictFile) << "{\"gpu\": ";
  EXPECT_NE(doubt().value_or("").find("nobody"), std::string::npos);
}

TEST_F(MetalVerdict, IsSilentWhereAllIsRight) {
  keep(one_of("Apple M2", 1e-6));
  EXPECT_EQ(doubt(), std::nullopt);
}

TEST_F(MetalVerdict, WarnsOfAGpuThatFailed) {
  keep(one_of("Apple M2", 1));
  EXPECT_EQ(doubt(), "`rung metal-check` found that Apple M2 does not compute what it should: take --device cpu");
}

TEST_F(MetalVerdict, IsOfOneGpuAndOneSystem) {
  keep(one_of("Apple M2", 1e-6));
  EXPECT_NE(doubt("Apple M4").value_or("").find("run it again"), std::string::npos);
  MetalReport other = one_of("Apple M2", 1e-6);
  other.system = "Darwin 22.0.0 arm64";
  keep(other);
  EXPECT_NE(doubt().value_or("").find("run it again"), std::string::npos);
}

}  // namespace
}  // namespace rung
