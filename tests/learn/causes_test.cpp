// Which causes are named of a wrong answer, and in which order: a mistake that gives the same in every case, what the
// difference looks like, a mistake that gives the same by chance, one that leads the same way.
#include "learn/causes.h"

#include <gtest/gtest.h>

#include <cmath>
#include <string>
#include <vector>

namespace rung::learn {
namespace {

using In = std::span<const float>;
using Out = std::span<float>;

void three_times(Out out, In x) {
  for (std::size_t i = 0; i < x.size(); ++i) out[i] = 3 * x[i];
}
void squared(Out out, In x) {
  for (std::size_t i = 0; i < x.size(); ++i) out[i] = x[i] * x[i];
}
void plus_two(Out out, In x) {
  for (std::size_t i = 0; i < x.size(); ++i) out[i] = x[i] + 2;
}
void four_times(Out out, In x) {
  for (std::size_t i = 0; i < x.size(); ++i) out[i] = 4 * x[i];
}
void five_times(Out out, In x) {
  for (std::size_t i = 0; i < x.size(); ++i) out[i] = 5 * x[i];
}

void thirty_times(Out out, In x) {
  for (std::size_t i = 0; i < x.size(); ++i) out[i] = 30 * x[i];
}
void thirty_times_and_its_place(Out out, In x) {
  for (std::size_t i = 0; i < x.size(); ++i) out[i] = 30 * x[i] + 10 * static_cast<float>(i);
}

Case of(const std::vector<float>& x) {
  std::vector<float> right;
  for (const float value : x) right.push_back(3 * value);
  return {.title = "", .arguments = {output("out", x.size()), {"x", x}}, .expected = {{right}}};
}
std::vector<Case> cases() { return {of({2, 2}), of({1, 5}), of({7, 8, 9})}; }

std::vector<std::string> named(LearnerFunction theirs, std::vector<KnownMistake> mistakes) {
  const Exercise exercise{
      .name = "", .reference = reference<three_times>(), .by_hand = cases, .mistakes = std::move(mistakes)};
  const Case first = cases()[0];  // here 2·2 is 2 + 2
  std::vector<std::string> ids;
  for (const Cause& cause : likely_causes(exercise, first, answer_of(theirs, first.arguments, {}), theirs)) {
    ids.push_back(cause.id);
  }
  return ids;
}

const KnownMistake adds{"adds", "it adds", "page", function<plus_two>};
const KnownMistake squares{"squares", "it squares", "page", function<squared>};

TEST(Causes, OfTwoThatGiveTheSameOnceTheOneThatAlwaysDoesComesFirst) {
  EXPECT_EQ(named(function<squared>, {adds, squares}).front(), "squares");
  EXPECT_EQ(named(function<plus_two>, {squares, adds}).front(), "adds");
}

TEST(Causes, OneThatGivesTheSameByChanceComesAfterWhatCanBeSeen) {
  EXPECT_EQ(named(function<squared>, {adds}),
            (std::vector<std::string>{"constant-factor", "constant-offset", "offset-of-an-input", "adds"}));
}

TEST(Causes, OneThatLeadsTheSameWayComesLast) {
  const KnownMistake grows{"grows", "it grows", "page", function<four_times>};
  EXPECT_EQ(named(function<five_times>, {grows}),
            (std::vector<std::string>{"constant-factor", "constant-offset", "grows"}));
}

TEST(Causes, ThatItIsFarTooLargeComesAfterAMistakeThatLeadsTheSameWay) {
  const KnownMistake grows{"grows", "it grows", "page", function<thirty_times>};
  EXPECT_EQ(named(function<thirty_times_and_its_place>, {grows}),
            (std::vector<std::string>{"grows", "order-of-magnitude"}));
}

TEST(Causes, BesideOneThatIsSureNothingElseIsNamed) {
  EXPECT_EQ(named(function<squared>, {adds, squares}), (std::vector<std::string>{"squares"}));
}

void turned_half_as_far(Out head, std::size_t position, In frequencies) {
  for (std::size_t i = 0; i < frequencies.size(); ++i) {
    const float angle = static_cast<float>(position) * frequencies[i] / 2;
    const float a = head[i], b = head[i + frequencies.size()];
    head[i] = a * std::cos(angle) - b * std::sin(angle);
    head[i + frequencies.size()] = b * std::cos(angle) + a * std::sin(angle);
  }
}

TEST(Causes, NothingWasTurnedIsNotSaidWhereALittleWas) {
  const Exercise& rope = *find_exercise("m2-rope");
  const Report report = run_checks(rope, function<turned_half_as_far>, {.speed = false});
  ASSERT_NE(report.failure(), nullptr);
  for (const Cause& cause : report.failure()->causes) EXPECT_NE(cause.id, "rope-missing") << cause.sentence;
}

TEST(Causes, ARightAnswerHasNone) { EXPECT_EQ(named(function<three_times>, {adds}), std::vector<std::string>{}); }

}  // namespace
}  // namespace rung::learn
