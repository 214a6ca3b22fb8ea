// Strings that end an answer, also across the pieces in which it comes.
#include <gtest/gtest.h>

#include "engine/generate.h"

namespace rung {
namespace {

// What comes out when the pieces go in one after the other.
std::string through(StopMatcher& matcher, const std::vector<std::string>& pieces) {
  std::string out;
  for (const std::string& p : pieces) {
    out += matcher.push(p);
    if (matcher.stopped()) return out;
  }
  return out + matcher.finish();
}

TEST(StopMatcher, WithoutStopsGivesEverythingAtOnce) {
  StopMatcher matcher({});
  EXPECT_EQ(matcher.push("abc"), "abc");
}

TEST(StopMatcher, EndsAtAStopThatCrossesPieces) {
  StopMatcher matcher({"</end>"});
  EXPECT_EQ(through(matcher, {"a story</", "en", "d> and more"}), "a story");
  EXPECT_TRUE(matcher.stopped());
}

TEST(StopMatcher, GivesBackWhatOnlyBeganLikeAStop) {
  StopMatcher matcher({"</end>"});
  EXPECT_EQ(matcher.push("1 </"), "1 ");
  EXPECT_EQ(matcher.push("b>"), "</b>");
  EXPECT_EQ(matcher.push("</en"), "");
  EXPECT_EQ(matcher.finish(), "</en");
  EXPECT_FALSE(matcher.stopped());
}

TEST(StopMatcher, TakesTheEarliestOfSeveral) {
  StopMatcher matcher({"later", "soon"});
  EXPECT_EQ(through(matcher, {"as soon as later"}), "as ");
}

TEST(StopMatcher, SeesAStopThatOverlapsItself) {
  StopMatcher matcher({"aab"});
  EXPECT_EQ(through(matcher, {"a", "a", "a", "b"}), "a");
}

TEST(StopMatcher, AnEmptyStopNeverMatches) {
  StopMatcher matcher({""});
  EXPECT_EQ(through(matcher, {"abc"}), "abc");
}

}  // namespace
}  // namespace rung
