// Every planted fault is found; where none is planted, nothing is.
#include "metal/mutations.h"

#include <gtest/gtest.h>

#include <cstdio>
#include <cstdlib>
#include <set>
#include <tuple>

#include "ops/metal/messages.h"

namespace rung::mutations {
namespace {

struct Planted {
  std::string name;
  Trial trial;
  Mode mode;
  unsigned number = 0;  // of a kernel's
  std::function<void(fake_metal::Settings&)> plant = {};
};
void PrintTo(const Planted& planted, std::ostream* out) { *out << planted.name; }

std::vector<Planted> all_planted() {
  std::vector<Planted> all;
  for (const KernelMutation& m : kernel_mutations()) {
    all.push_back({std::string(m.name), m.trial, m.mode, static_cast<unsigned>(all.size() + 1)});
  }
  for (const HostMutation& m : host_mutations()) all.push_back({std::string(m.name), m.trial, m.mode, 0, m.plant});
  return all;
}

class Mutation : public testing::TestWithParam<Planted> {};

TEST_P(Mutation, IsFound) {
  const Planted& planted = GetParam();
  const std::string by = found(planted.trial, planted.mode, planted.number, planted.plant);
  EXPECT_NE(by, "");
  RecordProperty("found", by);
  if (std::getenv("RUNG_MUTATIONS")) std::printf("| %s | %s |\n", planted.name.c_str(), by.c_str());
}

INSTANTIATE_TEST_SUITE_P(All, Mutation, testing::ValuesIn(all_planted()), [](const auto& planted) {
  std::string name;
  bool upper = true;
  for (const char c : planted.param.name) {
    const bool letter = (c >= 'a' && c <= 'z') || (c >= 'A' && c <= 'Z') || (c >= '0' && c <= '9');
    if (letter) name += upper && c >= 'a' && c <= 'z' ? static_cast<char>(c - 32) : c;
    upper = !letter;
  }
  return name;
});

// What the others are worth: without a mutation each trial finds nothing, in its mode.
TEST(NoMutation, FindsNothing) {
  for (const Planted& planted : all_planted()) {
    static std::set<std::tuple<std::string_view, DType, Mode>> done;
    if (!done.insert({planted.trial.model, planted.trial.type, planted.mode}).second) continue;
    EXPECT_EQ(found(planted.trial, planted.mode), "")
        << planted.trial.model << " " << info(planted.trial.type).name << ", mode " << static_cast<int>(planted.mode);
  }
}

TEST(Mutations, AreFortyAtLeast) { EXPECT_GE(kernel_mutations().size() + host_mutations().size(), 40u); }

// The types of a message are no message that could be sent otherwise: one letter changed, and the table is not Apple's.
TEST(Mutations, OfAMessagesTypesAreFound) {
  const auto is_apples = [](const objc::MessageInfo& m) {
    const auto* const golden = fake_metal::selector(std::string(m.owner), m.kind, m.name);
    return golden != nullptr && fake_metal::plain(m.encoding) == golden->encoding;
  };
  for (const objc::MessageInfo& message : objc::messages().all()) {
    EXPECT_TRUE(is_apples(message)) << message.name;
    for (std::size_t i = 0; i < message.encoding.size(); ++i) {
      if (std::string_view("@:QqvB^*").find(message.encoding[i]) == std::string_view::npos) continue;
      objc::MessageInfo other = message;
      other.encoding[i] = 'i';
      EXPECT_FALSE(is_apples(other)) << message.name << ": " << other.encoding;
    }
  }
}

}  // namespace
}  // namespace rung::mutations
