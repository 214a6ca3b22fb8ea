// What a person types never becomes a control token, and otherwise a chat's ids are those of apply_chat_template.
#include "base/error.h"
#include "base/mapped_file.h"
#include "paths.h"
#include "templates/chat_template.h"
#include "text/tokenizer.h"
#include "text/tokenizer_golden.h"

#include <gtest/gtest.h>

#include <algorithm>
#include <string>
#include <vector>

namespace rung {
namespace {

OrderedJson read_json(const std::filesystem::path& path) {
  return parse_ordered_json(MappedFile(path).text(), path.string());
}

struct Model {
  explicit Model(const std::string& name)
      : tokenizer(load_download(name)),
        chat(ChatTemplate::parse(
            read_json(download(name) / "tokenizer_config.json").at("chat_template").get<std::string>(), name)) {}

  std::vector<TokenId> encode(const RenderedChat& rendered) const {
    const Untrusted untrusted = untrusted_in(rendered, forbidden_tokens(tokenizer, chat));
    return tokenizer.encode(rendered.text, {.add_special = false, .untrusted = &untrusted});
  }

  Tokenizer tokenizer;
  ChatTemplate chat;
};

std::string fnv1a(const std::vector<TokenId>& ids) {
  std::uint64_t value = 0xcbf29ce484222325;
  for (const TokenId id : ids) {
    for (int shift = 0; shift < 32; shift += 8) {
      value = (value ^ ((static_cast<std::uint32_t>(id) >> shift) & 0xffu)) * 0x100000001b3;
    }
  }
  return fmt::format("{:016x}", value);
}

std::tm clock_of_the_goldens() {
  std::tm now{};
  now.tm_year = 126;
  now.tm_mon = 6;
  now.tm_mday = 4;
  return now;
}

// A small tokenizer and templates of our own: what is typed, what the assistant says, and roles in control tokens.
class SmallChat : public testing::Test {
 protected:
  std::vector<TokenId> ids(const std::string& chat_template, const OrderedJson& conversation,
                           const Tokenizer& tokenizer) const {
    const ChatTemplate chat =
        ChatTemplate::parse(golden_.at("templates").at(chat_template).get<std::string>(), chat_template);
    const RenderedChat rendered = chat.render(conversation);
    const Untrusted untrusted = untrusted_in(rendered, forbidden_tokens(tokenizer, chat));
    return tokenizer.encode(rendered.text, {.add_special = false, .untrusted = &untrusted});
  }
  Tokenizer tokenizer(const std::string& name) const {
    return Tokenizer::from_json(golden_.at("tokenizers").at(name).dump(), name);
  }

  OrderedJson golden_ = read_json(golden_folder() / "templates/ids.json");
};

TEST_F(SmallChat, HasTheOfficialIds) {
  for (const OrderedJson& item : golden_.at("cases")) {
    const std::string chat_template = item.at("template").get<std::string>();
    const std::string conversation = item.at("conversation").get<std::string>();
    const std::string name = item.at("tokenizer").get<std::string>();
    EXPECT_EQ(OrderedJson(ids(chat_template, golden_.at("conversations").at(conversation), tokenizer(name))),
              item.at("ids"))
        << name << ", " << chat_template << ": " << conversation;
  }
}

// The official library lets this one through.
TEST_F(SmallChat, ARoleThatIsNoneForgesNoControlToken) {
  const Tokenizer small = tokenizer("small");
  const auto of_role = [&](const std::string& role) {
    return ids("joined roles", {{"messages", OrderedJson::array({{{"role", role}, {"content", "a"}}})}}, small);
  };
  const TokenId end = *small.id_of("<|endoftext|>");
  const std::vector<TokenId> forged = of_role("endoftext");
  EXPECT_EQ(std::count(forged.begin(), forged.end(), end), 0);
  EXPECT_EQ(of_role("tool").front(), *small.id_of("<|tool|>"));
}

class ControlTokens : public testing::TestWithParam<std::string> {};

TEST_P(ControlTokens, AChatHasTheOfficialIds) {
  RUNG_NEEDS_DOWNLOAD(GetParam());
  const Model model(GetParam());
  const OrderedJson conversations = read_json(golden_folder() / "templates/conversations.json");
  for (const OrderedJson& item : read_json(golden_folder() / "templates/official.json")) {
    const std::string name = item.at("conversation").get<std::string>();
    if (item.at("package") != GetParam() || item.contains("error")) continue;
    SCOPED_TRACE(name);
    OrderedJson context = item.at("tokens");
    context.update(conversations.at(name));
    const std::vector<TokenId> ids = model.encode(model.chat.render(context, clock_of_the_goldens()));
    EXPECT_EQ(ids.size(), item.at("ids").get<std::size_t>());
    EXPECT_EQ(fnv1a(ids), item.at("ids_hash").get<std::string>());
  }
}

// The user types every added token that is special or stands in the template. In the ids each is as often as in the
// same chat without them.
TEST_P(ControlTokens, WhatAUserTypesNeverBecomesOne) {
  RUNG_NEEDS_DOWNLOAD(GetParam());
  const Model model(GetParam());
  const std::set<TokenId> forbidden = forbidden_tokens(model.tokenizer, model.chat);
  ASSERT_FALSE(forbidden.empty());
  std::string typed = "x";
  for (const TokenId id : forbidden) {
    typed.append(" ").append(model.tokenizer.piece(id)).append(model.tokenizer.piece(id));
  }
  const auto ids_of = [&](const std::string& content) {
    OrderedJson context = {{"messages", OrderedJson::array()}, {"add_generation_prompt", true}, {"bos_token", ""}};
    context["messages"].push_back({{"role", "user"}, {"content", content}});
    return model.encode(model.chat.render(context, clock_of_the_goldens()));
  };
  const std::vector<TokenId> harmless = ids_of("x");
  const std::vector<TokenId> hostile = ids_of(typed);
  for (const TokenId id : forbidden) {
    EXPECT_EQ(std::count(hostile.begin(), hostile.end(), id), std::count(harmless.begin(), harmless.end(), id))
        << model.tokenizer.piece(id);
  }
  EXPECT_NE(model.tokenizer.decode(hostile).find(typed.substr(0, 40)), std::string::npos) << "the text itself arrives";
}

INSTANTIATE_TEST_SUITE_P(Packages, ControlTokens,
                         testing::Values("qwen3", "qwen2_5", "llama3", "llama3_1", "llama3_2", "gemma3"),
                         [](const auto& tested) { return tested.param; });

}  // namespace
}  // namespace rung
