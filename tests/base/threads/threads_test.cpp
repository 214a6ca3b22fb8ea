// The team covers each index once, and its results are visible when run() returns.
#include <gtest/gtest.h>
#include <sys/resource.h>
#include <unistd.h>

#include <atomic>
#include <fstream>
#include <new>
#include <numeric>
#include <regex>
#include <string>
#include <vector>

#include "base/error.h"
#include "base/threads.h"
#include "sanitized.h"

namespace rung {
namespace {

TEST(ThreadTeam, CoversEachIndexOnce) {
  for (const std::size_t threads : {1u, 2u, 3u, 7u}) {
    ThreadTeam team(threads);
    for (const std::size_t count : {0u, 1u, 2u, 6u, 7u, 8u, 1000u, 65535u, 65536u, 200000u}) {
      std::vector<int> touched(count);
      team.run(count, [&](std::size_t begin, std::size_t end) {
        for (std::size_t i = begin; i < end; ++i) ++touched[i];
      });
      EXPECT_EQ(touched, std::vector<int>(count, 1)) << threads << " threads, " << count << " indices";
    }
  }
}

TEST(ThreadTeam, SurvivesManyShortRounds) {
  ThreadTeam team(4);
  std::vector<std::size_t> sums(64);
  for (std::size_t round = 0; round < 5000; ++round) {
    team.run(sums.size(), [&](std::size_t begin, std::size_t end) {
      for (std::size_t i = begin; i < end; ++i) sums[i] += round;
    });
  }
  EXPECT_EQ(sums, std::vector<std::size_t>(64, 5000u * 4999u / 2u));
}

TEST(ThreadTeam, SurvivesShortRoundsOfChangingLength) {
  ThreadTeam team(4);
  std::vector<std::size_t> sums(64);
  std::size_t expected[64] = {};
  for (std::size_t round = 0; round < 5000; ++round) {
    const std::size_t count = round % 3 == 0 ? 3 : round % 3 == 1 ? 64 : 7;
    for (std::size_t i = 0; i < count; ++i) expected[i] += round;
    team.run(count, [&](std::size_t begin, std::size_t end) {
      for (std::size_t i = begin; i < end; ++i) sums[i] += round;
    });
  }
  EXPECT_EQ(sums, std::vector<std::size_t>(expected, expected + 64));
}

TEST(ThreadTeam, SurvivesRoundsOfMoreIndicesThanPartsBesideShortOnes) {
  ThreadTeam team(4);
  std::vector<int> touched(70000);
  constexpr int kRounds = 300;
  for (int round = 0; round < kRounds; ++round) {
    for (const std::size_t count : {touched.size(), std::size_t{2}}) {
      team.run(count, [&](std::size_t begin, std::size_t end) {
        for (std::size_t i = begin; i < end; ++i) ++touched[i];
      });
    }
  }
  std::vector<int> expected(touched.size(), kRounds);
  expected[0] = expected[1] = 2 * kRounds;
  EXPECT_EQ(touched, expected);
}

TEST(ThreadTeam, MayExpectWhatIsGoneMeanwhile) {
  ThreadTeam team(2);
  int sum = 0;
  {
    const std::vector<std::byte> gone(std::size_t{1} << 20);
    team.announce(gone);
  }
  for (int round = 0; round < 100; ++round) {
    team.run(2, [&](std::size_t begin, std::size_t) {
      if (begin == 0) ++sum;
    });
  }
  EXPECT_EQ(sum, 100);
}

// A member may still look for ranges of the last round when the team is dissolved: it finds none, and goes.
TEST(ThreadTeam, IsDissolvedWhileMembersComeLate) {
  for (int team_count = 0; team_count < 3000; ++team_count) {
    ThreadTeam team(3);
    std::atomic<int> done{0};
    team.run(2, [&](std::size_t begin, std::size_t end) { done += static_cast<int>(end - begin); });
    EXPECT_EQ(done, 2);
  }
}

TEST(ThreadTeam, UsesAllItsThreads) {
  ThreadTeam team(3);
  std::atomic<int> inside{0};
  team.run(3, [&](std::size_t, std::size_t) {
    ++inside;
    while (inside < 3) {  // leaves only when each of three threads has come
    }
  });
  EXPECT_EQ(inside, 3);
}

TEST(ThreadTeam, LeavesTheWorkOfAThreadThatIsHeldUpToTheOthers) {
  ThreadTeam team(2);
  constexpr std::size_t kCount = 64;
  std::atomic<std::size_t> done{0};
  std::atomic<bool> one_is_held_up{false};
  team.run(kCount, [&](std::size_t begin, std::size_t end) {
    EXPECT_LE(end - begin, kCount / 2 / 4) << "a quarter of a thread's share is all that can be held up with it";
    if (!one_is_held_up.exchange(true)) {
      while (done < kCount - (end - begin)) {  // until somebody else has done all the rest
      }
    }
    done += end - begin;
  });
  EXPECT_EQ(done, kCount);
}

// The message of what `f` throws.
template <class F>
std::string error_of(const F& f) {
  try {
    f();
  } catch (const Error& e) {
    return e.what();
  }
  return "no error";
}

TEST(ThreadTeam, ThrowsWhatARangeThrewAfterTheOthersAreDone) {
  for (const std::size_t threads : {1u, 4u}) {
    ThreadTeam team(threads);
    for (int round = 0; round < 100; ++round) {
      std::vector<int> touched(1000);
      EXPECT_EQ(error_of([&] {
                  team.run(touched.size(), [&](std::size_t begin, std::size_t end) {
                    for (std::size_t i = begin; i < end; ++i) touched[i] = 1;
                    if (begin <= 500 && 500 < end) fail("index 500");
                  });
                }),
                "index 500");
      EXPECT_EQ(touched, std::vector<int>(1000, 1)) << "when run() returns, nobody writes any more";
      team.run(touched.size(), [&](std::size_t begin, std::size_t end) {
        for (std::size_t i = begin; i < end; ++i) ++touched[i];
      });
      EXPECT_EQ(touched, std::vector<int>(1000, 2)) << "the next round is as if nothing had happened";
    }
  }
}

TEST(ThreadTeam, NoMemoryInAThreadIsAnError) {
  for (const std::size_t threads : {1u, 4u}) {
    ThreadTeam team(threads);
    EXPECT_EQ(error_of([&] { team.run(8, [](std::size_t, std::size_t) { throw std::bad_alloc(); }); }),
              "no memory for the work of a thread");
  }
}

TEST(ThreadTeam, MoreIndicesThanItCanNumberAreAnError) {
  ThreadTeam team(2);
  EXPECT_NE(error_of([&] { team.run(std::size_t{1} << 32, [](std::size_t, std::size_t) {}); }), "no error");
}

TEST(ThreadTeam, AThreadThatCannotBeStartedIsAnErrorAndLeavesNoThread) {
  if (kSanitized) GTEST_SKIP() << "a sanitizer needs more addresses than a limit leaves";
  std::ifstream statistics("/proc/self/statm");
  rlim_t pages = 0;
  if (!(statistics >> pages)) GTEST_SKIP() << "there is no /proc/self/statm";
  rlimit before{};
  ASSERT_EQ(getrlimit(RLIMIT_AS, &before), 0);
  rlimit small = before;  // room for the stacks of some of the threads
  small.rlim_cur = pages * static_cast<rlim_t>(::sysconf(_SC_PAGESIZE)) + (rlim_t{64} << 20);
  ASSERT_EQ(setrlimit(RLIMIT_AS, &small), 0);
  const std::string error = error_of([] { const ThreadTeam team(500); });
  setrlimit(RLIMIT_AS, &before);
  EXPECT_TRUE(std::regex_match(error, std::regex("thread [0-9]+ of 500 cannot be started: .+"))) << error;
}

}  // namespace
}  // namespace rung
