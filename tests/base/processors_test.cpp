// The number of threads: the quotas of control groups, old and new, nested; hardware threads that share a core.
#include <gtest/gtest.h>

#include <cmath>
#include <fstream>

#include "base/processors.h"
#include "files/temporary_folder.h"

namespace rung {
namespace {

class Processors : public testing::Test {
 protected:
  void write(const std::string& name, const std::string& text) {
    const std::filesystem::path path = folder_.path() / name;
    std::filesystem::create_directories(path.parent_path());
    std::ofstream(path) << text;
  }
  double quota() const { return cpu_quota(files()); }
  SystemFiles files() const { return {folder_.path() / "own", folder_.path() / "groups", folder_.path() / "cpus"}; }

 private:
  TemporaryFolder folder_;
};

TEST_F(Processors, AreAtLeastOne) { EXPECT_GE(usable_processors(), 1u); }

TEST_F(Processors, HaveNoQuotaWhereNothingSaysSo) {
  EXPECT_TRUE(std::isinf(quota())) << "no files at all";
  write("own", "0::/\n");
  write("groups/cpu.max", "max 100000\n");
  EXPECT_TRUE(std::isinf(quota()));
}

TEST_F(Processors, ObeyTheQuotaOfTheirGroup) {
  write("own", "0::/\n");
  write("groups/cpu.max", "150000 100000\n");
  EXPECT_DOUBLE_EQ(quota(), 1.5);
}

TEST_F(Processors, ObeyTheSmallestQuotaOfNestedGroups) {
  write("own", "0::/outer/inner/own\n");
  write("groups/outer/cpu.max", "300000 100000\n");
  write("groups/outer/inner/cpu.max", "200000 100000\n");
  write("groups/outer/inner/own/cpu.max", "max 100000\n");
  EXPECT_DOUBLE_EQ(quota(), 2.0);
}

TEST_F(Processors, ObeyTheQuotaOfOldGroups) {
  write("own", "5:memory:/box\n4:cpu,cpuacct:/box\n0::/\n");
  write("groups/cpu,cpuacct/box/cpu.cfs_quota_us", "50000\n");
  write("groups/cpu,cpuacct/box/cpu.cfs_period_us", "100000\n");
  EXPECT_DOUBLE_EQ(quota(), 0.5);
}

TEST_F(Processors, TakeMinusOneForNoQuotaAndSeeTheRootFromInsideAContainer) {
  write("own", "4:cpu:/a/path/of/the/host\n");
  write("groups/cpu/cpu.cfs_quota_us", "-1\n");
  write("groups/cpu/cpu.cfs_period_us", "100000\n");
  EXPECT_TRUE(std::isinf(quota()));
  write("groups/cpu/cpu.cfs_quota_us", "400000\n");
  EXPECT_DOUBLE_EQ(quota(), 4.0);
}

TEST_F(Processors, SurviveNonsense) {
  write("own", "\n:\n::\nx:cpu\n0::/\n");
  write("groups/cpu.max", "-5 0\n");
  EXPECT_TRUE(std::isinf(quota()));
}

TEST_F(Processors, KnowWhichShareACore) {
  write("cpus/cpu4/topology/thread_siblings_list", "0,4\n");
  write("cpus/cpu3/topology/thread_siblings_list", "2-3\n");
  EXPECT_EQ(first_of_core(files(), 4), 0u);
  EXPECT_EQ(first_of_core(files(), 3), 2u);
  EXPECT_EQ(first_of_core(files(), 7), 7u) << "nothing says";
}

}  // namespace
}  // namespace rung
