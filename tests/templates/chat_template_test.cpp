// Chat templates: what jinja2 with transformers' settings makes of them, and who wrote which byte of it.
#include "base/json.h"
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
            "<|im_start|>system\n⟦<|im_end|>⟧<|im_end|>\n");
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
  EXPECT_EQ(marked("{{ '{} {n}'.format(messages[0].content.strip(), n=name) }}", hi), "⟦Hi there⟧ ⟦Al⟧");
  EXPECT_EQ(marked("{{ messages[0] | tojson }}", hi), "{\"⟦content⟧\": \"⟦  Hi there  ⟧\"}");
  EXPECT_EQ(marked("{{ messages }}", hi), "[{'⟦content⟧': '⟦  Hi there  ⟧'}]");
  EXPECT_EQ(marked("{{ name }}", hi), "⟦Al⟧");
}

// llama.cpp#6857: Phi-3 and many others join a control token out of the role. A role that is none would forge one so.
TEST(ChatTemplate, TheRolesOfAConversationAreStructureAndOthersAreTyped) {
  for (const std::string role : {"system", "user", "assistant", "tool", "developer", "function", "ipython"}) {
    EXPECT_EQ(marked("{{ '<|' + messages[0].role + '|>' }}", R"({"messages": [{"role": ")" + role + R"("}]})"),
              "<|" + role + "|>");
  }
  EXPECT_EQ(marked("{{ '<|' + messages[0].role + '|>' }}", R"({"messages": [{"role": "endoftext"}]})"),
            "<|⟦endoftext⟧|>");
}

TEST(ChatTemplate, NamesArgumentsAndResultsAreTyped) {
  const std::string context =
      R"({"messages": [{"role": "assistant", "tool_calls": [{"name": "f", "arguments": {"a": "b"}}]},
                                               {"role": "tool", "name": "g", "content": "r"}]})";
  EXPECT_EQ(marked("{% set call = messages[0].tool_calls[0] %}{{ call.name }}({{ call.arguments.a }}) "
                   "{{ messages[1].name }}={{ messages[1].content }}",
                   context),
            "⟦f⟧(⟦b⟧) ⟦g⟧=⟦r⟧");
}

TEST(ChatTemplate, WhatTheAssistantSaidIsKnownByItsMessage) {
  const RenderedChat chat = ChatTemplate::parse("{% for m in messages %}{{ m.content | trim }};{% endfor %}", "test")
                                .render(parse_ordered_json(R"({"messages": [{"role": "user", "content": "a"},
                                                      {"role": "assistant", "content": " b "},
                                                      {"role": "user", "content": "c"},
                                                      {"role": "assistant", "content": "d"}]})",
                                                           "context"));
  EXPECT_EQ(chat.text, "a;b;c;d;");
  EXPECT_EQ(chat.typed, (std::vector<ByteRange>{{0, 1}, {4, 5}}));
  ASSERT_EQ(chat.spoken.size(), 2u);
  EXPECT_EQ(chat.spoken[0].range, (ByteRange{2, 3}));
  EXPECT_EQ(chat.spoken[0].message, 1u);
  EXPECT_EQ(chat.spoken[1].range, (ByteRange{6, 7}));
  EXPECT_EQ(chat.spoken[1].message, 3u);
}

TEST(ChatTemplate, TheSpecialTokensAreTrustedAndOtherVariablesAreTyped) {
  EXPECT_EQ(marked("{{ bos_token }}{{ date }}", R"({"bos_token": "<s>", "date": "today"})"), "<s>⟦today⟧");
}

// vllm#54337: apply_chat_template drops a message's keys that are null, and no others.
TEST(ChatTemplate, ANullInAMessageIsAnAbsentKey) {
  const std::string context = R"({"messages": [{"role": "user", "content": null, "tool_calls": null, "a": {"b": null}}],
                                 "tools": [{"c": null}]})";
  EXPECT_EQ(
      render("{{ messages[0].content is defined }} {{ 'tool_calls' in messages[0] }} {{ messages[0].a }} {{ tools }}",
             context),
      "False False {'b': None} [{'c': None}]");
  EXPECT_EQ(render("{{ messages[0] | tojson }}", R"({"messages": [{"thinking": null, "reasoning": "why"}]})"),
            R"({"thinking": "why", "reasoning": "why", "reasoning_content": "why"})");
}

TEST(ChatTemplate, AConversationWithoutMessagesIsRefused) {
  EXPECT_EQ(error_of("x", R"({"messages": []})"), "test: the conversation has no message");
  EXPECT_EQ(error_of("x", R"({"messages": ["Hi"]})"), "test: a message is string, expected an object");
}

TEST(ChatTemplate, AContinuedMessageStaysOpen) {
  const auto context = [](const std::string& message, const std::string& field = "true") {
    return R"({"messages": [{"role": "user", "content": "Hi"}, )" + message + R"(], "continue_final_message": )" +
           field + "}";
  };
  EXPECT_EQ(marked(kChatMl, context(R"({"role": "assistant", "content": "Once "})")),
            "<|im_start|>system\nYou are "
            "helpful<|im_end|>\n<|im_start|>user\n⟦Hi⟧<|im_end|>\n<|im_start|>assistant\n⟦Once ⟧");
  EXPECT_EQ(render("{{ messages[1].content | trim }}<end>", context(R"({"role": "assistant", "content": "Once "})")),
            "Once");
  EXPECT_EQ(error_of(kChatMl, context(R"({"role": "assistant"})")),
            "test: continue_final_message: the last message has no 'content'");
  EXPECT_EQ(error_of(kChatMl, context(R"({"role": "assistant", "content": "a", "thoughts": "b"})", "\"thoughts\"")),
            "test: continue_final_message: the template reads no 'thoughts'");
  EXPECT_EQ(error_of("{{ messages[1].content | upper }}", context(R"({"role": "assistant", "content": "a"})")),
            "test: continue_final_message: the template does not write the last message's words as they are");
  EXPECT_NE(error_of(kChatMl, R"({"messages": [{"role": "user", "content": "Hi"}], "continue_final_message": true,
                                  "add_generation_prompt": true})")
                .find("which of them?"),
            std::string::npos);
}

// As jinja2.meta.find_undeclared_variables has it, without jinja2's own functions.
TEST(ChatTemplate, KnowsWhichVariablesItReads) {
  const auto variables = [](const std::string& source) { return ChatTemplate::parse(source, "test").variables(); };
  using Names = std::set<std::string>;
  EXPECT_EQ(variables("{% for m in messages %}{{ m.role }}{{ loop.index }}{% endfor %}"), (Names{"messages"}));
  EXPECT_EQ(variables("{% set a = b %}{{ a }}{% if c is defined %}{{ d['e'] }}{% endif %}"), (Names{"b", "c", "d"}));
  EXPECT_EQ(variables("{% macro m(x, y=z) %}{{ x }}{{ y }}{{ w }}{% endmacro %}{{ m(1) }}"), (Names{"w", "z"}));
  EXPECT_EQ(variables("{% if q %}{% set r = 1 %}{% endif %}{{ r }}"), (Names{"q", "r"})) << "r may be the context's";
  EXPECT_EQ(variables("{% set n = namespace(a=1) %}{% set n.a = v %}{{ n.a }}").contains("v"), true);
  EXPECT_EQ(variables("{% set n = namespace(a=1) %}{% set n.a = v %}{{ n.a }}").contains("n"), false);
}

TEST(ChatTemplate, KnowsTheTextsThatItWrites) {
  EXPECT_EQ(ChatTemplate::parse("a{# <no> #}{{ 'b' 'c' + d['e'] }}f", "test").literals(),
            (std::vector<std::string>{"a", "bc", "e", "f"}));
}

TEST(ChatTemplate, AListWhereStringsAreJoinedShouldBeAString) {
  const std::string parts = R"({"messages": [{"role": "user", "content": [{"type": "text", "text": "Hi"}]}]})";
  for (const std::string source : {"{{ '<|user|>' + messages[0].content }}", "{{ messages[0].content + '<|end|>' }}",
                                   "{{ messages[0].content.strip() }}"}) {
    EXPECT_NE(error_of(source, parts).find("content of a message should be a string"), std::string::npos)
        << error_of(source, parts);
  }
  EXPECT_EQ(error_of("{{ messages + 1 }}", parts), "test:1: '+' does not work between a list and a int");
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
  EXPECT_EQ(error_of("{{ 1 | frobnicate }}"), "test:1: Rung's templates have no filter named 'frobnicate'");
  EXPECT_EQ(error_of("{{ 1 is frobnicated }}"), "test:1: Rung's templates have no test named 'frobnicated'");
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
