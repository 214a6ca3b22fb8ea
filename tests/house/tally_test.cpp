// What ./check makes of a test program's output: tools/tally.awk and tools/skips.awk.
#include <gtest/gtest.h>

#include <cstdio>
#include <cstdlib>
#include <fstream>
#include <iterator>
#include <string>

#include "files/temporary_folder.h"
#include "paths.h"

namespace rung {
namespace {

class Tally : public testing::Test {
 protected:
  std::string text_of(const char* name) const {
    std::ifstream file(folder_ / name);
    return {std::istreambuf_iterator<char>{file}, {}};
  }

  // Output of the program of a room → what tally.awk prints.
  std::string tally(const std::string& where, const std::string& output) const {
    std::ofstream(folder_ / "in") << output;
    return awk("tally.awk",
               "-v where='" + where + "' -v counts='" + (folder_ / "counts").string() + "' -v skips='" +
                   (folder_ / "skips").string() + "' -v failures='" + (folder_ / "failures").string() + "'",
               "in");
  }
  std::string awk(const std::string& script, const std::string& options, const std::string& input) const {
    const std::string command = "awk " + options + " -f '" + (source_folder() / "tools" / script).string() + "' '" +
                                (folder_ / input).string() + "' >'" + (folder_ / "out").string() + "'";
    EXPECT_EQ(std::system(command.c_str()), 0) << command;
    return text_of("out");
  }

  TemporaryFolder folder_;
};

std::string skipped(const std::string& test, const std::string& why) {
  return "[ RUN      ] " + test + "\ntests/a.cpp:7: Skipped\n" + why + "\n\n[  SKIPPED ] " + test + " (0 ms)\n";
}

TEST_F(Tally, SkippedTestsAreALineAReason) {
  EXPECT_EQ(
      tally("release text", "[ RUN      ] A.Runs\n[       OK ] A.Runs (1 ms)\n" + skipped("A.One", "needs a network") +
                                skipped("A.Two", "needs a network") + skipped("A.Three", "has no python3") +
                                "[==========] 4 tests from 1 test suite ran. (12 ms total)\nexit status: 0\n"),
      "release text: 1 passed in 12 ms\n");
  tally("release model", skipped("B.One", "needs a network") + "exit status: 0\n");
  EXPECT_EQ(text_of("counts"), "1 0 3\n0 0 1\n");
  EXPECT_EQ(awk("skips.awk", "", "skips"),
            "skipped 3: needs a network (release text, release model)\nskipped 1: has no python3 (release text)\n");
}

TEST_F(Tally, AFailedTestIsShownWhole) {
  EXPECT_EQ(tally("release text",
                  "[ RUN      ] A.Fails\ntests/a.cpp:9: Failure\nExpected: 1\n[  FAILED  ] A.Fails (0 ms)\n"
                  "exit status: 1\n"),
            "FAILED release text: A.Fails\n    tests/a.cpp:9: Failure\n    Expected: 1\n"
            "release text: 0 passed in no time\n");
  EXPECT_EQ(text_of("counts"), "0 1 0\n");
  EXPECT_EQ(text_of("failures"), "release text: A.Fails\n");
}

TEST_F(Tally, ATestThatDoesNotEndHasFailed) {
  const std::string out = tally("release text", "[ RUN      ] A.Dies\nexit status: 139\n");
  EXPECT_NE(out.find("FAILED release text: A.Dies did not end (exit status 139)"), std::string::npos) << out;
  EXPECT_EQ(text_of("counts"), "0 1 0\n");
  EXPECT_EQ(text_of("failures"), "release text: A.Dies\n");
}

}  // namespace
}  // namespace rung
