// A conversation keeps what was said, reuses what was computed, and makes room by forgetting the oldest turns.
#include "engine/chat.h"

#include <gtest/gtest.h>

#include "base/error.h"
#include "base/signals.h"
#include "engine/device.h"
#include "engine/tiny_model.h"

namespace rung {
namespace {

class ChatTest : public testing::Test {
 protected:
  Reply say(std::string_view text, std::size_t max_tokens = 4) {
    return chat_.reply(text,
                       {.max_tokens = max_tokens, .sampling = Sampling{.temperature = 0}, .stop = {}, .stop_ids = {}});
  }
  std::vector<std::string> roles() const {
    std::vector<std::string> roles;
    for (const OrderedJson& message : chat_.messages()) roles.push_back(message["role"]);
    return roles;
  }

  TinyModel folder_;
  LoadedModel model_{ModelFiles::open(folder_.path())};
  Device device_;
  Session session_{model_.model(), device_.ops(), {.context = 128}};
  Chat chat_{model_, session_};
};

using Roles = std::vector<std::string>;

TEST_F(ChatTest, BothSidesBecomeMessages) {
  const Reply reply = say("Hi");
  EXPECT_EQ(roles(), (Roles{"user", "assistant"}));
  EXPECT_EQ(chat_.messages()[0]["content"], "Hi");
  EXPECT_EQ(chat_.messages()[1]["content"], reply.generated.text);
  EXPECT_EQ(reply.dropped_turns, 0u);
}

TEST_F(ChatTest, ASecondTurnComputesOnlyWhatIsNew) {
  const Reply first = say("Hi");
  const Reply second = say("Go on");
  EXPECT_LE(second.generated.prefill.tokens + first.generated.prefill.tokens, second.context_tokens);

  // … and the answer is the one that a new session gives to the same ids.
  const auto& tokens = session_.tokens();
  const std::vector<TokenId> prompt(tokens.begin(),
                                    tokens.end() - static_cast<std::ptrdiff_t>(second.generated.decode.tokens));
  Session fresh(model_.model(), device_.ops(), {.context = 128});
  EXPECT_EQ(
      generate(fresh, model_.tokenizer(), prompt,
               {.max_tokens = 4, .sampling = Sampling{.temperature = 0}, .stop = {}, .stop_ids = model_.stop_ids()})
          .ids,
      second.generated.ids);
}

TEST_F(ChatTest, AFullContextDropsTheOldestTurnsAndKeepsTheSystemMessage) {
  chat_.set_system("Be kind");
  std::size_t dropped = 0;
  for (int i = 0; i < 8; ++i) dropped += say("message " + std::to_string(i)).dropped_turns;
  EXPECT_GT(dropped, 0u);
  EXPECT_EQ(roles()[0], "system");
  EXPECT_EQ(roles()[1], "user");
  EXPECT_EQ(chat_.messages().size(), 1 + 2 * (8 - dropped));
  EXPECT_EQ(chat_.messages()[chat_.messages().size() - 2]["content"], "message 7");
  EXPECT_LE(session_.tokens().size(), session_.context());
}

TEST_F(ChatTest, AMaxLengthOfTheModelIsAContextToo) {
  folder_.write("generation_config.json", {{"do_sample", false}, {"max_length", 80}});
  const LoadedModel model(ModelFiles::open(folder_.path()));
  Chat chat(model, session_);
  std::size_t dropped = 0;
  for (int i = 0; i < 8; ++i) {
    const Reply reply = chat.reply("ab", {.ignore_ends = true});
    EXPECT_LE(reply.context_tokens, 80u);
    EXPECT_EQ(reply.whole_tokens, 80u);
    dropped += reply.dropped_turns;
  }
  EXPECT_GT(dropped, 0u);
  EXPECT_LT(dropped, 8u) << "what fits is kept";
}

TEST_F(ChatTest, AMessageLongerThanTheContextIsRefusedAndForgotten) {
  say("Hi");
  EXPECT_THROW(say(std::string(200, 'x')), Error);
  EXPECT_EQ(roles(), (Roles{"user", "assistant"}));
  EXPECT_NO_THROW(say("Hi again"));
}

TEST_F(ChatTest, WhatTheTemplateRefusesWasNeverSaid) {
  EXPECT_THROW(say("forbidden"), Error);
  EXPECT_TRUE(chat_.messages().empty());
  EXPECT_NO_THROW(say("Hi"));
}

TEST_F(ChatTest, AnAnswerStoppedBeforeItsFirstWordWasNeverAskedFor) {
  const GenerateCallbacks stop{.interrupted = [] { return true; }};
  const Reply reply =
      chat_.reply("Hi", {.max_tokens = 4, .sampling = Sampling{.temperature = 0}, .stop = {}, .stop_ids = {}}, stop);
  EXPECT_EQ(reply.generated.reason, StopReason::interrupted);
  EXPECT_TRUE(chat_.messages().empty());
}

TEST_F(ChatTest, WhatWasSaidOfAnInterruptedAnswerStays) {
  int asked = 0;
  const GenerateCallbacks stop{.interrupted = [&] { return ++asked > 3; }};
  const Reply reply =
      chat_.reply("Hi", {.max_tokens = 50, .sampling = Sampling{.temperature = 0}, .stop = {}, .stop_ids = {}}, stop);
  EXPECT_EQ(reply.generated.reason, StopReason::interrupted);
  EXPECT_EQ(chat_.messages()[1]["content"], reply.generated.text);
}

TEST_F(ChatTest, ResetForgetsTheTurnsButNotTheSystemMessage) {
  chat_.set_system("Be kind");
  say("Hi");
  chat_.reset();
  EXPECT_EQ(roles(), (Roles{"system"}));
  chat_.set_system("Be brief");
  EXPECT_EQ(chat_.messages(), OrderedJson::array({make_message("system", "Be brief")}));
  chat_.set_system("");
  EXPECT_TRUE(chat_.messages().empty());
}

TEST(Chat, NeedsATemplate) {
  const TinyModel folder("");
  const LoadedModel model(ModelFiles::open(folder.path()));
  Device device;
  Session session(model.model(), device.ops());
  try {
    Chat chat(model, session);
    FAIL();
  } catch (const Error& e) {
    EXPECT_NE(std::string(e.what()).find("no chat template"), std::string::npos) << e.what();
  }
}

}  // namespace
}  // namespace rung
