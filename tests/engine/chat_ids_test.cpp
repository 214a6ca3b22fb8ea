// The ids that a model wrote stay those ids in the turns after, so that the cache serves and the model sees its own
// words: what a text is encoded as may be other ids.
#include <gtest/gtest.h>

#include <algorithm>

#include "engine/chain_model.h"
#include "engine/chat.h"
#include "engine/device.h"

namespace rung {
namespace {

const std::string kKeeps =
    "{% for m in messages %}<|im_start|>{{ m.role }}\n{{ m.content }}<|im_end|>\n{% endfor %}"
    "{% if add_generation_prompt %}<|im_start|>assistant\n{% endif %}";
const std::string kDropsThoughts =
    "{% for m in messages %}<|im_start|>{{ m.role }}\n"
    "{% if m.role == 'assistant' %}{{ m.content.split('</think>')[-1] }}{% else %}{{ m.content }}{% endif %}"
    "<|im_end|>\n{% endfor %}{% if add_generation_prompt %}<|im_start|>assistant\n{% endif %}";

// Thinks "a", then says "th": as two tokens, where a text "th" is one.
const std::map<std::string, std::string> kThinks = {
    {"Ċ", "<think>"}, {"<think>", "a"}, {"a", "</think>"}, {"</think>", "t"}, {"t", "h"}};

struct Talk {
  Talk(const std::map<std::string, std::string>& next, const std::string& chat_template, std::size_t context = 256)
      : folder(next, chat_template), session(model.model(), device.ops(), {.context = context}) {}

  Reply say(std::string_view text) {
    return chat.reply(text, {.max_tokens = 8, .sampling = Sampling{.temperature = 0}, .stop = {}, .stop_ids = {}});
  }
  bool holds(const std::vector<std::string>& spellings) const {
    std::vector<TokenId> ids;
    for (const std::string& spelling : spellings) ids.push_back(folder.id(spelling));
    const auto& all = session.tokens();
    return std::search(all.begin(), all.end(), ids.begin(), ids.end()) != all.end();
  }

  ChainModel folder;
  LoadedModel model{ModelFiles::open(folder.path())};
  Device device;
  Session session;
  Chat chat{model, session};
};

TEST(ChatIds, EachTurnComputesOnlyWhatIsNew) {
  Talk talk(kThinks, kKeeps);
  const Reply first = talk.say("Hi");
  EXPECT_EQ(first.generated.text, "<think>a</think>th");
  EXPECT_EQ(first.generated.ids.size(), 5u);
  // <|im_start|> user \n Hi <|im_end|> \n <|im_start|> assistant \n
  EXPECT_EQ(first.generated.prefill.tokens, 1u + 4 + 1 + 2 + 1 + 1 + 1 + 9 + 1);
  // and before it the <|im_end|> \n that the template puts behind the answer
  EXPECT_EQ(talk.say("Hi").generated.prefill.tokens, 2u + 21);
  EXPECT_EQ(talk.say("Oh no").generated.prefill.tokens, 2u + 21 + 3);
  EXPECT_TRUE(talk.holds({"<think>", "a", "</think>", "t", "h", "<|im_end|>"}));
}

TEST(ChatIds, WhatATemplateKeepsOfAnAnswerKeepsItsIds) {
  Talk talk(kThinks, kDropsThoughts);
  talk.say("Hi");
  talk.say("Hi");
  EXPECT_TRUE(talk.holds({"Ċ", "t", "h", "<|im_end|>", "Ċ", "<|im_start|>", "u"}));
  EXPECT_FALSE(talk.holds({"th"}));
}

// The same text from somebody else is encoded as any text is.
TEST(ChatIds, APersonsWordsAreTheirOwn) {
  Talk talk(kThinks, kKeeps);
  talk.say("Hi");
  talk.say("<think>a</think>th");
  EXPECT_TRUE(talk.holds({"Ċ", "<think>", "a", "</think>", "t", "h", "<|im_end|>"}));
  EXPECT_TRUE(talk.holds({"Ċ", "<think>", "a", "</think>", "th", "<|im_end|>"}));
}

// A system message that comes or goes moves all others, and their ids with them.
TEST(ChatIds, MoveWithTheirMessages) {
  Talk talk(kThinks, kKeeps);
  talk.say("Hi");
  talk.chat.set_system("a");
  talk.say("Hi");
  EXPECT_TRUE(talk.holds({"Ċ", "<think>", "a", "</think>", "t", "h", "<|im_end|>", "Ċ", "<|im_start|>", "u"}));
  talk.chat.set_system("");
  talk.say("Hi");
  EXPECT_TRUE(talk.holds({"Ċ", "<think>", "a", "</think>", "t", "h", "<|im_end|>", "Ċ", "<|im_start|>", "u"}));
  EXPECT_FALSE(talk.holds({"th"}));
}

// Dropping just enough would shift the prompt's beginning in every turn, and nothing of the cache would serve.
TEST(ChatIds, AFullContextIsMadeRoomInRarelyAndServesInBetween) {
  Talk talk(kThinks, kKeeps);
  std::size_t dropping = 0, full = 0;
  for (int turn = 0; turn < 30; ++turn) {
    const Reply reply = talk.say("Hi");
    dropping += reply.dropped_turns > 0 ? 1 : 0;
    full += dropping > 0 ? 1 : 0;
    if (reply.dropped_turns == 0 && turn > 0) {
      EXPECT_EQ(reply.generated.prefill.tokens, 23u) << "turn " << turn;
    }
    if (reply.dropped_turns > 0) {
      EXPECT_LE(reply.context_tokens, 192u + 8) << "a quarter is free again";
    }
  }
  EXPECT_GT(dropping, 3u);
  EXPECT_LE(dropping, full / 2);
}

}  // namespace
}  // namespace rung
