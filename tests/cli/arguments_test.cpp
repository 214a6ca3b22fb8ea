// argv → values: each kind of option, and what it says to what it cannot take.
#include <gtest/gtest.h>

#include <optional>
#include <string>
#include <vector>

#include "cli/arguments.h"

namespace rung {
namespace {

std::string refusal(Options& options, const std::vector<std::string>& arguments) {
  try {
    parse_arguments(options, arguments, "verb");
  } catch (const UsageError& e) {
    return e.what();
  }
  return "";
}

TEST(Arguments, EachKindOfVariableTakesItsValue) {
  bool flag = false;
  std::string word, alone;
  std::optional<std::string> perhaps;
  std::size_t whole = 0;
  std::optional<std::uint64_t> large;
  std::optional<float> real;
  std::vector<std::string> repeated;
  std::vector<std::size_t> list{9};
  Options options;
  options.add("text", alone, "");
  options.add("--flag", flag, "");
  options.add("-w,--word", word, "");
  options.add("--perhaps", perhaps, "");
  options.add("-n", whole, "");
  options.add("--large", large, "");
  options.add("--real", real, "");
  options.add("--repeated", repeated, "");
  options.add("--list", list, "");
  const Parsed parsed =
      parse_arguments(options,
                      {"--flag", "-w", "a", "--perhaps", "", "-n", "010", "--large=999999999999999999", "--real",
                       "-0.5", "--repeated", "x", "the text", "--repeated", "[y,z]", "--list", "1,64"},
                      "verb");
  EXPECT_EQ(parsed, Parsed::values);
  EXPECT_TRUE(flag);
  EXPECT_EQ(word, "a");
  EXPECT_EQ(perhaps, "");
  EXPECT_EQ(whole, 10u);  // decimal, whatever zeros stand before it
  EXPECT_EQ(large, 999999999999999999u);
  EXPECT_EQ(real, -0.5f);
  EXPECT_EQ(repeated, (std::vector<std::string>{"x", "[y,z]"}));
  EXPECT_EQ(list, (std::vector<std::size_t>{1, 64}));
  EXPECT_EQ(alone, "the text");
}

TEST(Arguments, WhatIsNotGivenIsLeftAlone) {
  std::string word = "before";
  std::optional<float> real;
  Options options;
  options.add("--word", word, "");
  options.add("--real", real, "");
  EXPECT_EQ(parse_arguments(options, {}, "verb"), Parsed::values);
  EXPECT_EQ(word, "before");
  EXPECT_EQ(real, std::nullopt);
}

TEST(Arguments, WhatStandsAloneMayComeSeveralTimes) {
  std::vector<std::string> models;
  bool flag = false;
  Options options;
  options.add("models", models, "").type_name("MODEL").most(3);
  options.add("--flag", flag, "");
  EXPECT_EQ(parse_arguments(options, {"a", "--flag", "b", "--", "-c"}, "verb"), Parsed::values);
  EXPECT_EQ(models, (std::vector<std::string>{"a", "b", "-c"}));
  EXPECT_TRUE(flag);
  EXPECT_EQ(refusal(options, {"a", "b", "c", "d"}), "models: found 4, expected at most 3 (see rung verb --help)");
}

TEST(Arguments, HelpGoesBeforeWhatIsMissing) {
  std::string word;
  Options options;
  options.add("--word", word, "");
  EXPECT_EQ(parse_arguments(options, {"--help"}, "verb"), Parsed::help);
}

TEST(Arguments, ANumberIsCheckedWithoutASpecialCheck) {
  std::size_t whole = 0;
  std::optional<float> real;
  Options options;
  options.add("-n,--number", whole, "");
  options.add("--real", real, "");
  EXPECT_EQ(refusal(options, {"-n", "0x10"}),
            "--number: found '0x10', expected a whole number, 0 or more (see rung verb --help)");
  EXPECT_EQ(refusal(options, {"--real", "much"}), "--real: found 'much', expected a number (see rung verb --help)");
}

TEST(Arguments, EveryRefusalNamesTheOption) {
  std::string word, file, alone;
  Options options;
  options.add("text", alone, "").type_name("TEXT");
  options.add("--word", word, "").type_name("WORD");
  options.add("--file", file, "").type_name("FILE.json");
  EXPECT_EQ(refusal(options, {"--word"}), "--word: found nothing after it, expected WORD (see rung verb --help)");
  EXPECT_EQ(refusal(options, {"--word", "a", "--word", "b"}),
            "--word: found 2 times, expected once (see rung verb --help)");
  EXPECT_EQ(refusal(options, {"--file", ""}), "--file: found nothing, expected a name (see rung verb --help)");
  EXPECT_EQ(refusal(options, {"--wrod"}),
            "no option is called '--wrod' (see rung verb --help; a text that begins with - goes after --)");
  EXPECT_EQ(refusal(options, {"a", "b"}), "'b' is one argument too many (a text is one argument: put it in quotes)");
}

TEST(Arguments, ADescriptionHasWhatTheHelpShows) {
  std::size_t most = 64;
  Options options;
  options.add("-n,--most", most, "how many").type_name("N").group("counts").show_default();
  const Option& option = options.all().front();
  EXPECT_EQ(option.names(), (std::vector<std::string>{"-n", "--most"}));
  EXPECT_EQ(option.type_name(), "N");
  EXPECT_EQ(option.group(), "counts");
  EXPECT_EQ(option.default_text(), "64");
  EXPECT_FALSE(option.is_flag());
  EXPECT_FALSE(option.stands_alone());
}

}  // namespace
}  // namespace rung
