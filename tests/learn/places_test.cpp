// The places that exercises take in the engine: the learner's code is really called there, and where it is right the
// engine does what it does without it.
#include <gtest/gtest.h>

#include <algorithm>

#include "learn/in_engine.h"
#include "learn/seams.h"

namespace rung::learn {
namespace {

constexpr const char* kPrompt = "Once upon a time";

std::string with_underscores(std::string name) {
  std::replace(name.begin(), name.end(), '-', '_');
  return name;
}
std::string name_of_test(const testing::TestParamInfo<std::string>& info) { return with_underscores(info.param); }

Story told(Seams seams) { return SeamedEngine(std::move(seams)).tell({.prompt = kPrompt, .tokens = 32}); }
Seams right(std::string_view name) {
  const Exercise& exercise = *find_exercise(name);
  return seams_with(exercise, exercise.reference.call);
}
LearnerFunction mistake(std::string_view name, std::string_view id) {
  const std::vector<KnownMistake>& all = find_exercise(name)->mistakes;
  return std::find_if(all.begin(), all.end(), [&](const KnownMistake& m) { return m.id == id; })->call;
}

std::vector<std::string> placed() {
  std::vector<std::string> names;
  for (const Exercise& exercise : exercises()) {
    if (exercise.place != nullptr) names.emplace_back(exercise.name);
  }
  return names;
}

int calls = 0;
LearnerFunction counted = nullptr;
void count(RungValue* values) {
  ++calls;
  counted(values);
}

class Place : public testing::TestWithParam<std::string> {};
TEST_P(Place, IsWhereTheirCodeRuns) {
  const Exercise& exercise = *find_exercise(GetParam());
  calls = 0;
  counted = exercise.reference.call;
  told(seams_with(exercise, count));
  EXPECT_GT(calls, 0);
}
INSTANTIATE_TEST_SUITE_P(All, Place, testing::ValuesIn(placed()), name_of_test);

// Pebble has 5 layers of 4 heads, of which two share a key head, with norms of q and k.
struct Calls {
  const char* name;
  int a_token;  // of a pass of one token
};
std::string name_of_calls(const testing::TestParamInfo<Calls>& info) { return with_underscores(info.param.name); }
class EveryLayer : public testing::TestWithParam<Calls> {};
TEST_P(EveryLayer, AsksTheirCode) {
  const Exercise& exercise = *find_exercise(GetParam().name);
  counted = exercise.reference.call;
  const auto calls_for = [&](std::size_t tokens) {
    calls = 0;
    SeamedEngine(seams_with(exercise, count)).tell({.prompt = kPrompt, .tokens = tokens});
    return calls;
  };
  const int of_seven = calls_for(7);
  EXPECT_EQ(calls_for(8) - of_seven, GetParam().a_token);
}
INSTANTIATE_TEST_SUITE_P(OfMilestone2, EveryLayer,
                         testing::Values(Calls{"m2-embedding", 1}, Calls{"m2-rms-norm", 5 * (2 + 4 + 2) + 1},
                                         Calls{"m2-linear", 5 * 7 + 1}, Calls{"m2-rope", 5 * (4 + 2)},
                                         Calls{"m2-one-head", 5 * 4}, Calls{"m2-causal-mask", 5 * 4},
                                         Calls{"m2-softmax", 5 * 4}, Calls{"m2-gqa", 5 * 4}, Calls{"m2-swiglu", 5},
                                         Calls{"m2-block", 5}, Calls{"m2-logits", 1}),
                         name_of_calls);

// Not those that draw another way (m3-temperature, -top-k, -top-p), round the weights (m1-q8-0, -q4-0) or stop.
class RightCode : public testing::TestWithParam<std::string> {};
TEST_P(RightCode, TellsRungsOwnStory) { EXPECT_EQ(told(right(GetParam())).text, told({}).text); }
INSTANTIATE_TEST_SUITE_P(OfMilestones0To3, RightCode,
                         testing::Values("m0-byte-alphabet", "m0-cut-words", "m0-merge-loop", "m0-streaming-decode",
                                         "m1-bf16", "m1-safetensors-header", "m1-tensor-view", "m1-gguf-string",
                                         "m1-gguf-array", "m3-argmax"),
                         name_of_test);

TEST(WrongCode, WithTheSpaceInTheOtherWordPebbleReadsOtherTokens) {
  const SeamedEngine engine(
      seams_with(*find_exercise("m0-cut-words"), mistake("m0-cut-words", "space-with-word-before")));
  std::vector<std::string> pieces;
  for (const TokenId id : engine.encode("The fox")) pieces.push_back(engine.model().tokenizer().piece(id));
  EXPECT_EQ(pieces, (std::vector<std::string>{"The", " ", "fo", "x"}));
}

TEST(WrongCode, ThatShowsHalfAFoxShowsWhatIsNoCharacter) {
  const Exercise& exercise = *find_exercise("m0-streaming-decode");
  const auto shown = [&](LearnerFunction f) {
    return SeamedEngine(seams_with(exercise, f)).tell({.prompt = "A 🦊", .tokens = 1}).text.substr(0, 6);
  };
  EXPECT_EQ(shown(exercise.reference.call), "A 🦊");
  EXPECT_EQ(shown(mistake("m0-streaming-decode", "half-shown")), "A \xef\xbf\xbd\xef");  // of several �, the first
}

TEST(WrongCode, WithAnotherVocabularyReadsOtherWords) {
  const SeamedEngine engine(seams_with(*find_exercise("m1-gguf-array"), mistake("m1-gguf-array", "one-too-far")));
  EXPECT_NE(engine.encode("The fox"), engine.model().tokenizer().encode("The fox"));
}

TEST(PackedWeights, TellAnotherStory) {
  const std::string whole = told({}).text;
  EXPECT_NE(told(right("m1-q4-0")).text, whole);
}

TEST(StopStrings, EndTheStoryBeforeThem) {
  const std::string whole = told({}).text;
  ASSERT_NE(whole.find(" She"), whole.npos) << whole;
  EXPECT_EQ(told(right("m3-stop-strings")).text, whole.substr(0, whole.find(" She")));
}

}  // namespace
}  // namespace rung::learn
