// What a conversation is told beside its messages: which template, its variables, whether its end is open.
#include <gtest/gtest.h>

#include <filesystem>
#include <fstream>

#include "base/json.h"
#include "cli/program.h"
#include "engine/tiny_model.h"

namespace rung {
namespace {

constexpr const char* kTalkative =
    "{% for m in messages %}<|im_start|>{{ m.role }} {{ m.content }}<|im_end|>{% endfor %}"
    "{% if enable_thinking is false %}quick{% endif %}{% if effort == 'high' %}slow{% endif %}";

class ChatOptions : public testing::Test {
 protected:
  Outcome run(std::vector<std::string> arguments, const Surroundings& surroundings = {}) const {
    arguments.insert(arguments.begin() + 1, {"-m", model_.path().string()});
    return run_rung(std::move(arguments), surroundings);
  }
  std::string prompt(const std::vector<std::string>& options) const {
    std::vector<std::string> arguments = {"tokenize", "--json", "--chat"};
    arguments.insert(arguments.end(), options.begin(), options.end());
    arguments.emplace_back("the");
    const Outcome outcome = run(arguments);
    return outcome.status == 0 ? Json::parse(outcome.out)["prompt"].get<std::string>() : outcome.err;
  }
  std::string file(const std::string& name, const std::string& text) const {
    std::ofstream(model_ / name) << text;
    return (model_ / name).string();
  }

  TinyModel model_{kTalkative};
};

bool has(const std::string& text, const std::string& part) { return text.find(part) != std::string::npos; }

TEST_F(ChatOptions, SetHandsAVariableToTheTemplate) {
  EXPECT_EQ(prompt({}), "<|im_start|>user the<|im_end|>");
  EXPECT_EQ(prompt({"--set", "enable_thinking=false"}), "<|im_start|>user the<|im_end|>quick");
  EXPECT_EQ(prompt({"--set", "effort=high"}), "<|im_start|>user the<|im_end|>slow") << "a bare word is a string";
  EXPECT_EQ(prompt({"--set", "effort=\"high\"", "--set", "enable_thinking=false"}),
            "<|im_start|>user the<|im_end|>quickslow");
  // The same in the other verbs: "quick" is five tokens.
  const auto prompt_tokens = [&](const std::vector<std::string>& options) {
    std::vector<std::string> arguments = {"generate", "--json", "--chat", "-n", "1", "the"};
    arguments.insert(arguments.begin() + 1, options.begin(), options.end());
    const Outcome outcome = run(arguments);
    return outcome.status == 0
               ? Json::parse(outcome.out.substr(outcome.out.find("{\"text\"")))["prompt_tokens"].get<int>()
               : -1;
  };
  EXPECT_EQ(prompt_tokens({"--set", "enable_thinking=false"}), prompt_tokens({}) + 5);
  const auto context = [&](const std::vector<std::string>& options) {
    std::vector<std::string> arguments = {"chat", "--json", "-n", "1"};
    arguments.insert(arguments.end(), options.begin(), options.end());
    const Outcome outcome = run(arguments, {.input = "the\n"});
    return outcome.status == 0 ? Json::parse(outcome.out)["context_tokens"].get<int>() : -1;
  };
  EXPECT_EQ(context({"--set", "enable_thinking=false"}), context({}) + 5);
  EXPECT_EQ(context({"--messages", file("m.json", R"({"messages": [], "enable_thinking": false})")}), context({}) + 5);
}

TEST_F(ChatOptions, SetThatIsNoneIsAUsageError) {
  for (const auto& [option, words] : {std::pair{"enable_thinking", "expected NAME=JSON"},
                                      {"=1", "expected NAME=JSON"},
                                      {"enable_thinking=False", "False is written false in JSON"},
                                      {"effort={\"a\"", "is no JSON"},
                                      {"messages=[]", "--messages FILE.json gives these"}}) {
    const Outcome outcome = run({"tokenize", "--chat", "--set", option, "the"});
    EXPECT_EQ(outcome.status, 2) << option;
    EXPECT_TRUE(has(outcome.err, words)) << outcome.err;
  }
  EXPECT_EQ(run({"generate", "--set", "effort=1", "the"}).status, 2) << "without --chat";
}

TEST_F(ChatOptions, AKeyThatNothingReadsIsAnError) {
  const std::string messages = R"("messages": [{"role": "user", "content": "the"}])";
  const std::string wrong = file("m.json", "{" + messages + R"(, "enable_thinkin": false})");
  for (const Outcome& outcome :
       {run({"tokenize", "--messages", wrong}), run({"tokenize", "--chat", "--set", "enable_thinkin=false", "the"}),
        run({"generate", "--chat", "--set", "enable_thinkin=false", "the"}),
        run({"chat", "--messages", wrong}, {.input = "the\n"})}) {
    EXPECT_EQ(outcome.status, 1);
    EXPECT_TRUE(
        has(outcome.err, "'enable_thinkin' is nothing that the template reads; it reads effort, enable_thinking"))
        << outcome.err;
  }
}

TEST_F(ChatOptions, ATemplateIsChosenByItsName) {
  std::filesystem::create_directory(model_ / "additional_chat_templates");
  file("additional_chat_templates/short.jinja", "{{ messages[0].content }}.");
  EXPECT_EQ(prompt({"--template-name", "short"}), "the.");
  EXPECT_EQ(run({"generate", "--chat", "--template-name", "short", "-n", "1", "the"}).status, 0);
  EXPECT_EQ(run({"chat", "--template-name", "short", "-n", "1"}, {.input = "the\n"}).status, 0);
  EXPECT_TRUE(has(prompt({"--template-name", "sort"}), "no chat template named 'sort'; it has default, short"));
  EXPECT_EQ(run({"tokenize", "--template-name", "short", "--template", file("t.jinja", "x"), "the"}).status, 2);
}

TEST_F(ChatOptions, AConversationMayEndOpen) {
  const std::string open = file("m.json", R"({"messages": [{"role": "user", "content": "a"},
      {"role": "assistant", "content": "the"}], "continue_final_message": true})");
  const Outcome outcome = run({"tokenize", "--json", "--messages", open});
  ASSERT_EQ(outcome.status, 0) << outcome.err;
  EXPECT_EQ(Json::parse(outcome.out)["prompt"], "<|im_start|>user a<|im_end|><|im_start|>assistant the");
  EXPECT_TRUE(has(run({"chat", "--messages", open}, {.input = "the\n"}).err, "in a chat the next message is yours"));
}

TEST_F(ChatOptions, TheTemplateForToolsIsTakenLineByLine) {
  std::filesystem::create_directory(model_ / "additional_chat_templates");
  file("additional_chat_templates/tool_use.jinja", "{{ tools[0].name }}");
  const std::string line = R"({"messages": [{"role": "user", "content": "a"}])";
  const Outcome outcome = run({"tokenize", "--json", "--lines"}, {.input = line + R"(, "tools": [{"name": "t"}]})" +
                                                                           "\n" + line + R"(, "tools": null})" + "\n"});
  EXPECT_TRUE(has(outcome.out, R"("prompt":"t")")) << outcome.out;
  EXPECT_TRUE(has(outcome.out, R"("prompt":"<|im_start|>user a<|im_end|>")")) << outcome.out;
}

}  // namespace
}  // namespace rung
