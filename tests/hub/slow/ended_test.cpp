// A pull that is ended, at a hundred moments which the hub chooses by the bytes that it has sent.
#include <gtest/gtest.h>

#include <csignal>

#include "files/hub/cache.h"
#include "hub/loopback_hub.h"
#include "hub/started_program.h"
#include "cli/program.h"

namespace rung {
namespace {

namespace fs = std::filesystem;

class EndedPull : public testing::Test {
 protected:
  void SetUp() override {
    put(1);
    ASSERT_EQ(pull(old_cache()).status, 0);
    old_commit_ = commit_in(old_cache());
    put(2);
  }
  // Two files that are large, one that is not.
  void put(unsigned version) {
    first_ = noise(700'000, version);
    second_ = noise(400'000, version + 10);
    hub_.put("tiny/model", "config.json", R"({"version": )" + std::to_string(version) + "}");
    hub_.put("tiny/model", "model.safetensors.index.json",
             R"({"weight_map": {"a": "1.safetensors", "b": "2.safetensors"}})");
    hub_.put("tiny/model", "1.safetensors", first_);
    hub_.put("tiny/model", "2.safetensors", second_);
  }
  Outcome pull(const fs::path& cache) {
    return run_rung({"pull", "tiny/model"}, {.environment = hub_.environment(cache)});
  }
  static std::string commit_in(const fs::path& cache) {
    const auto snapshot = HubCache(cache).find(HubName::parse("tiny/model"));
    return snapshot ? snapshot->commit : "";
  }
  fs::path old_cache() const { return folder_ / "old"; }
  void expect_new(const fs::path& cache) {
    const auto snapshot = HubCache(cache).find(HubName::parse("tiny/model"));
    ASSERT_TRUE(snapshot);
    EXPECT_EQ(snapshot->files.size(), 4u);
    EXPECT_EQ(text_of(snapshot->folder / "1.safetensors"), first_);
    EXPECT_EQ(text_of(snapshot->folder / "2.safetensors"), second_);
    EXPECT_EQ(text_of(snapshot->folder / "config.json"), R"({"version": 2})");
    for (const std::string& path : tree_of(cache)) EXPECT_FALSE(path.ends_with(".incomplete")) << path;
  }

  LoopbackHub hub_;
  TemporaryFolder folder_;
  std::string first_, second_, old_commit_;
};

TEST_F(EndedPull, AtAHundredMomentsLeavesTheOldStateAndIsResumed) {
  const std::size_t all = first_.size() + second_.size();
  std::size_t resumed = 0;
  for (std::size_t moment = 0; moment < 100; ++moment) {
    const bool from_nothing = moment % 2 == 0;
    const fs::path cache = folder_ / "cache";
    fs::remove_all(cache);
    if (!from_nothing) fs::copy(old_cache(), cache, fs::copy_options::recursive | fs::copy_options::copy_symlinks);
    hub_.set({{"hold", all * moment / 100}});
    StartedProgram program({"pull", "tiny/model"}, hub_.environment(cache));
    hub_.wait_until_held();
    EXPECT_EQ(program.end_with(SIGKILL), 128 + SIGKILL);
    hub_.release();
    EXPECT_EQ(commit_in(cache), from_nothing ? "" : old_commit_) << moment;
    hub_.log();
    const Outcome outcome = pull(cache);
    EXPECT_EQ(outcome.status, 0) << moment << ": " << outcome.err;
    expect_new(cache);
    for (const auto& request : hub_.log()) resumed += !request["range"].is_null();
  }
  EXPECT_GT(resumed, 50u) << "of most, there were some hundred kilobytes already";
}

TEST_F(EndedPull, ByCtrlCHasItsStatusAndIsResumed) {
  hub_.set({{"hold", 600'000}});
  const fs::path cache = folder_ / "cache";
  StartedProgram program({"pull", "tiny/model"}, hub_.environment(cache));
  hub_.wait_until_held();
  EXPECT_EQ(program.end_with(SIGINT), 130);
  hub_.release();
  EXPECT_FALSE(holds(program.errors(), "rung: ")) << program.errors();
  EXPECT_EQ(commit_in(cache), "");
  EXPECT_EQ(pull(cache).status, 0);
  expect_new(cache);
}

}  // namespace
}  // namespace rung
