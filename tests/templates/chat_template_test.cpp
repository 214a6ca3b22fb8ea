// Chat templates: what jinja2 with transformers' settings makes of them, and who wrote which byte of it.
#include "templates/chat_template.h"

#include "base/error.h"

#include <gtest/gtest.h>

#include <string>

namespace rung {
namespace {

std::string render(const std::string& source, const std::string& context = "{}") {
  return ChatTemplate::parse(source, "test").render(parse_ordered_json(context, "context")).text;
}

std::string error_of(const std::string& source, const std::string& context = "{}") {
  try {
    return "no error, but: " + render(source, context);
  } catch (const Error& e) {
    return e.what();
  }
}

// The text with ⟦…⟧ around what a person wrote.
std::string marked(const std::string& source, const std::string& context) {
  const RenderedChat chat = ChatTemplate::parse(source, "test").render(parse_ordered_json(context, "context"));
  std::string out;
  std::size_t at = 0;
  for (const ByteRange& range : chat.untrusted) {
    out += chat.text.substr(at, range.begin - at) + "⟦" + chat.text.substr(range.begin, range.end - range.begin) + "⟧";
    at = range.end;
  }
  return out + chat.text.substr(at);
}

const char* const kChatMl =
    "{% for message in messages %}{% if loop.first and messages[0]['role'] != 'system' %}{{ '<|im_start|>system\nYou "
    "are "
    "helpful<|im_end|>\n' }}"
    "{% endif %}{{'<|im_start|>' + message['role'] + '\n' + message['content'] + '<|im_end|>' + '\n'}}{% endfor %}"
    "{% if add_generation_prompt %}{{ '<|im_start|>assistant\n' }}{% endif %}";

TEST(ChatTemplate, RendersChatMl) {
  EXPECT_EQ(render(kChatMl, R"({"messages": [{"role": "user", "content": "Hi"}], "add_generation_prompt": true})"),
            "<|im_start|>system\nYou are helpful<|im_end|>\n<|im_start|>user\nHi<|im_end|>\n<|im_start|>assistant\n");
}

TEST(ChatTemplate, MarksWhatAPersonWrote) {
  EXPECT_EQ(marked(kChatMl, R"({"messages": [{"role": "system", "content": "<|im_end|>"}]})"),
            "<|im_start|>⟦system⟧\n⟦<|im_end|>⟧<|im_end|>\n");
}

TEST(ChatTemplate, KeepsProvenanceThroughStringFunctions) {
  const std::string hi = R"({"messages": [{"content": "  Hi there  "}], "name": "Al"})";
  EXPECT_EQ(marked("{{ messages[0].content | trim }}!", hi), "⟦Hi there⟧!");
  EXPECT_EQ(marked("{{ messages[0].content.strip().replace('there', 'you') }}", hi), "⟦Hi ⟧you");
  EXPECT_EQ(marked("{{ 'a-b' | replace('-', messages[0].content.strip()) }}", hi), "a⟦Hi there⟧b");
  EXPECT_EQ(marked("{{ messages[0].content.split() | join(', ') | upper }}", hi), "⟦HI⟧, ⟦THERE⟧");
  EXPECT_EQ(marked("{{ ('[' ~ messages[0].content.strip() ~ ']')[::-1] }}", hi), "]⟦ereht iH⟧[");
  EXPECT_EQ(marked("{% set x %}<{{ messages[0].content.strip() }}>{% endset %}{{ x[1:4] }}{{ x }}", hi),
            "⟦Hi ⟧<⟦Hi there⟧>");
  EXPECT_EQ(marked("{% macro m(x) %}<{{ x }}>{% endmacro %}{{ m(messages[0].content.strip()) }}", hi), "<⟦Hi there⟧>");
  EXPECT_EQ(marked("{{ '%s=%d' % (messages[0].content.strip(), 3) }}", hi), "⟦Hi there⟧=3");
  EXPECT_EQ(marked("{{ '{} {n}'.format(messages[0].content.strip(), n=name) }}", hi), "⟦Hi there⟧ Al");
  EXPECT_EQ(marked("{{ messages[0] | tojson }}", hi), "{\"⟦content⟧\": \"⟦  Hi there  ⟧\"}");
  EXPECT_EQ(marked("{{ messages }}", hi), "[{'⟦content⟧': '⟦  Hi there  ⟧'}]");
  EXPECT_EQ(marked("{{ name }}", hi), "Al");
}

TEST(ChatTemplate, ToolsAndDocumentsAreUntrustedToo) {
  EXPECT_EQ(marked("{{ tools | tojson }}{{ documents[0] }}", R"({"tools": [{"a": "x\"y"}], "documents": ["d"]})"),
            "[{\"⟦a⟧\": \"⟦x\\\"y⟧\"}]⟦d⟧");
}

TEST(ChatTemplate, SaysWhatRaiseExceptionSaid) {
  EXPECT_EQ(error_of("\n{{ raise_exception('System role not supported') }}"), "test:2: System role not supported");
}

TEST(ChatTemplate, UndefinedPrintsNothingAndItsPartsAreErrors) {
  EXPECT_EQ(render("[{{ nothing }}]"), "[]");
  EXPECT_EQ(error_of("{{ nothing.at_all }}"), "test:1: 'nothing' is undefined");
  EXPECT_EQ(error_of("{{ messages[0].role }}"), "test:1: 'messages' is undefined");
}

TEST(ChatTemplate, UnsupportedConstructsAreErrors) {
  EXPECT_EQ(error_of("a\n{% include 'x' %}"), "test:2: unsupported tag 'include'");
  EXPECT_EQ(error_of("{% frobnicate %}"), "test:1: unknown tag 'frobnicate'");
  EXPECT_EQ(error_of("{{ 1 | frobnicate }}"), "test:1: no filter named 'frobnicate'");
  EXPECT_EQ(error_of("{{ 1 is frobnicated }}"), "test:1: no test named 'frobnicated'");
}

TEST(ChatTemplate, TellsTheTimeItIsGiven) {
  std::tm now{};
  now.tm_year = 126;
  now.tm_mon = 6;
  now.tm_mday = 4;
  const ChatTemplate chat = ChatTemplate::parse("{{ strftime_now('%d %b %Y, %-d %B') }}", "test");
  EXPECT_EQ(chat.render(OrderedJson::object(), now).text, "04 Jul 2026, 4 July");
}

// llama.cpp pull requests 24140 (range(10⁹) was made at once) and 26387 (a macro that calls itself), haystack 9402
// (loops in loops).
TEST(ChatTemplate, TemplatesThatNeverEndAreErrors) {
  EXPECT_EQ(error_of("{% for i in range(1000000000) %}{% endfor %}"), "test:1: a range of more than 100000 numbers");
  const std::string nested =
      "{% for a in range(99999) %}{% for b in range(99999) %}{% for c in range(99999) %}x{% endfor %}{% endfor %}{% "
      "endfor %}";
  EXPECT_NE(error_of(nested).find("does not come to an end"), std::string::npos);
  EXPECT_NE(error_of("{{ 'x' * 999999999999 }}").find("does not come to an end"), std::string::npos);
  EXPECT_NE(error_of("{{ [1] * 999999999999 }}").find("does not come to an end"), std::string::npos);
  EXPECT_NE(error_of("{{ 'x'.center(999999999999) }}").find("does not come to an end"), std::string::npos);
  EXPECT_NE(error_of("{% macro m() %}{{ m() }}{% endmacro %}{{ m() }}").find("nested too deeply"), std::string::npos);
  EXPECT_NE(error_of("{% set n = namespace(x=[]) %}{% for i in range(9999) %}{% set n.x = [n.x] %}{% endfor %}")
                .find("nested deeper"),
            std::string::npos);
  EXPECT_NE(error_of("{% set n = namespace(x='ab') %}{% for i in range(9999) %}{% set n.x = n.x ~ n.x %}{% endfor %}")
                .find("does not come"),
            std::string::npos);
}

// llama.cpp pull request 26387: parentheses and blocks in each other, until the stack was full.
TEST(ChatTemplate, DeepNestingIsAnError) {
  const auto repeated = [](const std::string& text, int times) {
    std::string out;
    for (int i = 0; i < times; ++i) out += text;
    return out;
  };
  EXPECT_NE(error_of("{{ " + repeated("(", 100000) + repeated(")", 100000) + " }}").find("nested deeper"),
            std::string::npos);
  EXPECT_NE(error_of("{{ " + repeated("[", 100000) + repeated("]", 100000) + " }}").find("nested deeper"),
            std::string::npos);
  EXPECT_NE(error_of("{{ " + repeated("not ", 100000) + "1 }}").find("nested deeper"), std::string::npos);
  EXPECT_NE(error_of("{{ " + repeated("- ", 100000) + "1 }}").find("nested deeper"), std::string::npos);
  EXPECT_NE(error_of("{{ 1" + repeated("+1", 100000) + " }}").find("nested deeper"), std::string::npos);
  EXPECT_NE(error_of("{{ x" + repeated(".x", 100000) + " }}").find("nested deeper"), std::string::npos);
  EXPECT_NE(error_of("{{ x" + repeated("|trim", 100000) + " }}").find("nested deeper"), std::string::npos);
  EXPECT_NE(error_of(repeated("{% if 1 %}", 100000)).find("nested deeper"), std::string::npos);
  EXPECT_EQ(render("{{ 'a'" + repeated("~'a'", 500) + " }}").size(), 501u);
}

}  // namespace
}  // namespace rung
