// The program in surroundings that fail: no place for errors, no threads, no memory, a pipe that does not wait, no
// home.
#include <gtest/gtest.h>

#include <string>

#include "cli/program.h"
#include "engine/tiny_model.h"
#include "sanitized.h"

namespace rung {
namespace {

bool has(const std::string& text, const std::string& part) { return text.find(part) != std::string::npos; }
bool is_one_line(const std::string& text) { return text.find('\n') + 1 == text.size(); }

TEST(Surroundings, AnErrorThatCannotBePrintedIsAnErrorAllTheSame) {
  for (const char* errors : {"/dev/full", "closed"}) {
    EXPECT_EQ(run_rung({"logits", "-m", "no-such-model", "x"}, {.errors = errors}).status, 1) << errors;
    EXPECT_EQ(run_rung({"logits", "--no-such-option"}, {.errors = errors}).status, 2) << errors;
  }
}

TEST(Surroundings, WhatIsOnlyNotedNeedsNoPlace) {
  const TinyModel model;
  for (const char* errors : {"/dev/full", "closed"}) {
    const std::vector<std::string> generate{"generate", "-m", model.path().string(), "-n", "4", "--seed", "1", "the"};
    EXPECT_EQ(run_rung(generate, {.errors = errors}).status, 0) << errors;
    EXPECT_EQ(run_rung(generate, {.errors = errors}).out, run_rung(generate).out) << errors;
    const Outcome chat =
        run_rung({"chat", "-m", model.path().string(), "-n", "2"}, {.input = "/stats\nthe\n", .errors = errors});
    EXPECT_EQ(chat.status, 0) << errors;
    EXPECT_NE(chat.out, "") << errors;
  }
}

// A file that is opened where stderr was would take what is meant for people.
TEST(Surroundings, AClosedStderrIsNotTheNextFile) {
  const TinyModel model;
  const TemporaryFolder folder;
  const std::string messages = (folder / "said.json").string();
  run_rung({"chat", "-m", model.path().string(), "-n", "2"}, {.input = "/save " + messages + "\n", .errors = "closed"});
  std::ifstream file(messages);
  EXPECT_EQ(std::string(std::istreambuf_iterator<char>{file}, {}), "[]\n");
}

TEST(Surroundings, ThreadsThatCannotBeStartedAreOneLine) {
  if (kSanitized) GTEST_SKIP() << "a sanitizer needs more addresses than a limit leaves";
  const TinyModel model;
  const Outcome outcome = run_rung({"generate", "-m", model.path().string(), "--threads", "64", "the"},
                                   {.address_limit = std::size_t{400'000} << 10});
  EXPECT_EQ(outcome.status, 1);
  EXPECT_TRUE(has(outcome.err, " of 64 cannot be started: ")) << outcome.err;
  EXPECT_TRUE(is_one_line(outcome.err)) << outcome.err;
}

TEST(Surroundings, APipeThatDoesNotWaitIsWaitedFor) {
  const TinyModel model;
  const std::vector<std::string> logits{"logits", "-m", model.path().string(), "--json", "--top", "160", "the fox"};
  const Outcome usual = run_rung(logits);
  ASSERT_GT(usual.out.size(), 2 * 4096u) << "fills the pipe more than once";
  const Outcome outcome = run_rung(logits, {.output = "non-blocking pipe"});
  EXPECT_EQ(outcome.status, 0) << outcome.err;
  EXPECT_EQ(outcome.out, usual.out);
}

TEST(Surroundings, TheListOfModelsNeedsNoHome) {
  const Outcome outcome = run_rung({"pull", "--list"}, {.environment = {"HOME=", "XDG_CACHE_HOME="}});
  EXPECT_EQ(outcome.status, 0) << outcome.err;
  EXPECT_TRUE(has(outcome.out, "not here yet")) << outcome.out;
  const Outcome model = run_rung({"logits", "-m", "smollm2", "x"}, {.environment = {"HOME=", "XDG_CACHE_HOME="}});
  EXPECT_EQ(model.status, 1);
  EXPECT_TRUE(has(model.err, "rung pull smollm2")) << model.err;
}

}  // namespace
}  // namespace rung
