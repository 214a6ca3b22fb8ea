// Templates against jinja2 in transformers' settings, and conversations against apply_chat_template:
// tests/golden/templates/, made by tools/goldens/templates.py.
#include "base/json.h"
#include "base/error.h"
#include "base/mapped_file.h"
#include "downloads.h"
#include "paths.h"
#include "templates/chat_template.h"
#include "templates/golden_clock.h"

#include <gtest/gtest.h>

#include <filesystem>
#include <optional>
#include <string>

namespace rung {
namespace {

namespace fs = std::filesystem;

OrderedJson read_json(const fs::path& path) { return parse_ordered_json(MappedFile(path).text(), path.string()); }
OrderedJson golden(const std::string& name) { return read_json(golden_folder() / "templates" / name); }

std::string fnv1a(std::string_view data) {
  std::uint64_t value = 0xcbf29ce484222325;
  for (const char c : data) value = (value ^ static_cast<unsigned char>(c)) * 0x100000001b3;
  return fmt::format("{:016x}", value);
}

// The text, or the error's message in `error`.
std::optional<std::string> render(const std::string& source, const OrderedJson& context, std::string& error) {
  try {
    return ChatTemplate::parse(source, "template").render(context, golden_clock()).text;
  } catch (const Error& e) {
    error = e.what();
    return {};
  }
}

TEST(ChatTemplateGolden, EveryFeatureRendersAsInJinja2) {
  const OrderedJson document = golden("features.json");
  for (const OrderedJson& item : document.at("cases")) {
    SCOPED_TRACE(item.at("name").get<std::string>() + ": " + item.at("template").get<std::string>());
    std::string error;
    const std::optional<std::string> text =
        render(item.at("template").get<std::string>(), document.at("context"), error);
    if (item.contains("error")) {
      EXPECT_FALSE(text.has_value()) << *text;
      EXPECT_EQ(error.rfind("template:", 0), 0u) << error;
      EXPECT_EQ(error.find('\n'), std::string::npos) << error;
    } else {
      EXPECT_EQ(text.value_or("an error: " + error), item.at("text").get<std::string>());
    }
  }
}

class OfficialTemplates : public testing::TestWithParam<std::string> {};

TEST_P(OfficialTemplates, RenderEveryConversationAsTransformersDoes) {
  RUNG_NEEDS_DOWNLOAD(GetParam());
  const std::string source =
      read_json(download(GetParam()) / "tokenizer_config.json").at("chat_template").get<std::string>();
  const OrderedJson conversations = golden("conversations.json");
  int cases = 0;
  for (const OrderedJson& item : golden("official.json")) {
    if (item.at("package") != GetParam()) continue;
    ++cases;
    SCOPED_TRACE(GetParam() + "/" + item.at("conversation").get<std::string>());
    OrderedJson context = item.at("tokens");
    context.update(conversations.at(item.at("conversation").get<std::string>()));
    std::string error;
    const std::optional<std::string> text = render(source, context, error);
    if (item.contains("error")) {
      EXPECT_FALSE(text.has_value()) << *text;
    } else {
      ASSERT_TRUE(text.has_value()) << error;
      EXPECT_EQ(text->size(), item.at("bytes").get<std::size_t>()) << *text;
      EXPECT_EQ(fnv1a(*text), item.at("hash").get<std::string>()) << *text;
    }
  }
  EXPECT_GT(cases, 30);
}

INSTANTIATE_TEST_SUITE_P(Packages, OfficialTemplates,
                         testing::Values("qwen3", "qwen2_5", "llama3", "llama3_1", "llama3_2", "gemma3"),
                         [](const auto& tested) { return tested.param; });

}  // namespace
}  // namespace rung
