// What the checks of an exercise find, given functions that are right, wrong, and not there yet.
#include <gtest/gtest.h>

#include "learn/check.h"
#include "learn/divergence.h"
#include "learn/exercise.h"
#include "learn/in_engine.h"

namespace rung::learn {
namespace {

class EveryExercise : public testing::TestWithParam<std::string> {
 protected:
  const Exercise& exercise() const { return *find_exercise(GetParam()); }
};

std::vector<std::string> names() {
  std::vector<std::string> all;
  for (const Exercise& exercise : exercises()) all.emplace_back(exercise.name);
  return all;
}

std::string test_name(const testing::TestParamInfo<std::string>& info) {
  std::string name = info.param;
  std::replace(name.begin(), name.end(), '-', '_');
  return name;
}

// Two sources: what was worked out by hand, and the reference.
TEST_P(EveryExercise, TheReferenceGivesWhatWasWorkedOutByHand) {
  for (const Case& example : exercise().by_hand()) {
    const Check check = check_case(exercise(), exercise().reference.call, example);
    EXPECT_EQ(check.state, CheckState::passed)
        << example.title << "\nexpected: " << check.expected << "\ngot: " << check.got;
    EXPECT_FALSE(example.arithmetic.empty()) << example.title;
  }
}

TEST_P(EveryExercise, EachKnownMistakeFailsAndIsNamed) {
  for (const KnownMistake& mistake : exercise().mistakes) {
    const Report report = run_checks(exercise(), mistake.call, {.speed = false});
    ASSERT_FALSE(report.passed()) << mistake.id << " passes";
    const std::vector<Cause>& causes = report.failure()->causes;
    ASSERT_FALSE(causes.empty()) << mistake.id << " is not recognised";
    EXPECT_EQ(causes.front().id, mistake.id) << report.failure()->name << ": " << report.failure()->title;
  }
}

TEST(Checks, WhatIsStillToBeWrittenIsCountedAndNotShown) {
  const Exercise& floats = *find_exercise("m2-rms-norm");
  const Exercise& bytes = *find_exercise("m5-block");
  const auto input = [](const Exercise& exercise) {
    return run_checks(exercise, exercise.mistakes[0].call, {.speed = false}).failure()->input;
  };
  EXPECT_TRUE(input(floats).starts_with("out: 2 places to write\n")) << input(floats);
  EXPECT_TRUE(input(bytes).starts_with("bytes: 16 places to write\n")) << input(bytes);
}

// Cases by hand have few and round numbers: two mistakes that give the same in all of them would be taken for each
// other.
TEST(CasesByHand, OfM2TellItsMistakesApart) {
  for (const Exercise& exercise : m2_exercises()) {
    const auto differ = [&](LearnerFunction a, LearnerFunction b) {
      for (const Case& example : exercise.by_hand()) {
        const auto answer = [&](LearnerFunction f) {
          return answer_of(f, example.arguments, exercise.reference.result);
        };
        if (!agree(answer(a), answer(b), exercise.tolerance)) return true;
      }
      return false;
    };
    for (const KnownMistake& one : exercise.mistakes) {
      EXPECT_TRUE(differ(exercise.reference.call, one.call)) << exercise.name << ": none shows " << one.id;
      for (const KnownMistake& other : exercise.mistakes) {
        const bool told = one.id == other.id || differ(one.call, other.call);
        EXPECT_TRUE(told) << exercise.name << ": " << one.id << " and " << other.id << " give the same";
      }
    }
  }
}

// Where it goes, the reference changes nothing about a forward pass.
TEST_P(EveryExercise, TheReferenceInItsPlaceIsTheEngineItself) {
  if (exercise().place == nullptr) GTEST_SKIP() << "has no place of its own in the engine";
  if (exercise().changes_pebble) GTEST_SKIP() << "makes another model of pebble";
  Seams seams = seams_with(exercise(), exercise().reference.call);
  if (seams.device != Device::kReference) GTEST_SKIP() << "is a kernel of the fast device (changed_pebble_test.cpp)";
  SeamedEngine own({}), with_reference(std::move(seams));
  const std::vector<TokenId> ids = own.encode(kTracedText);
  EXPECT_EQ(with_reference.encode(kTracedText), ids);
  const auto wrong = first_divergence(with_reference, own, ids);
  EXPECT_FALSE(wrong) << wrong->sentence();
}

INSTANTIATE_TEST_SUITE_P(All, EveryExercise, testing::ValuesIn(names()), test_name);

[[noreturn]] void still_to_be_written(RungValue*) { throw NotYet("rms_norm"); }

TEST(Checks, StopAtAFunctionThatIsNotWrittenYet) {
  const Report report = run_checks(*find_exercise("m2-rms-norm"), still_to_be_written);
  ASSERT_EQ(report.checks.size(), 1u);
  EXPECT_EQ(report.checks[0].name, "by-hand");
  EXPECT_EQ(report.checks[0].state, CheckState::not_yet);
  EXPECT_EQ(report.checks[0].title, "rms_norm");
}

}  // namespace
}  // namespace rung::learn
