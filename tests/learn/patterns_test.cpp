// What wrong numbers look like beside right ones, one pattern at a time; and that noise looks like nothing.
#include "learn/patterns.h"

#include <gtest/gtest.h>

#include <algorithm>
#include <cmath>
#include <functional>

#include "engine/random.h"

namespace rung::learn {
namespace {

std::vector<double> noise(std::size_t n, std::uint64_t seed) {
  Random random(seed);
  std::vector<double> all(n);
  for (double& v : all) v = 2 * random.uniform() - 1 + 0.01;
  return all;
}

using Change = std::function<void(std::vector<double>&)>;

// Four rows of six numbers; `change` is what the learner's code did to them.
Beside rows(const Change& change) {
  Beside beside{.expected = noise(24, 1), .got = noise(24, 1), .shape = {4, 6}};
  change(beside.got);
  return beside;
}
Change each(double (*f)(double value, std::size_t i)) {
  return [f](std::vector<double>& all) {
    for (std::size_t i = 0; i < all.size(); ++i) all[i] = f(all[i], i);
  };
}

// The most telling pattern: "name: sentence", or nothing.
std::string first_pattern(const Beside& beside) {
  const std::vector<FoundPattern> found = find_patterns(beside);
  return found.empty() ? "" : std::string(name_of(found[0].pattern)) + ": " + found[0].sentence;
}

TEST(Patterns, NothingIsSeenWhereNothingDiffers) {
  EXPECT_EQ(first_pattern(rows([](auto&) {})), "");
  EXPECT_EQ(first_pattern(rows(each([](double v, std::size_t) { return v * (1 + 5e-5); }))), "");
}

TEST(Patterns, NothingIsSeenInNoise) {
  for (std::uint64_t seed = 2; seed < 200; ++seed) {
    Beside beside{.expected = noise(24, 1), .got = noise(24, seed), .shape = {4, 6}};
    beside.inputs = {{"x", noise(24, seed + 1000)}, {"weight", noise(6, seed + 2000)}};
    EXPECT_EQ(first_pattern(beside), "") << seed;
  }
}

TEST(Patterns, NoNumber) {
  EXPECT_EQ(find_patterns(rows(each([](double, std::size_t) { return std::nan(""); }))).size(), 1U);
  EXPECT_EQ(first_pattern(rows(each([](double, std::size_t) { return std::nan(""); }))),
            "not-a-number: every number is NaN: nothing was written there, or += to what nobody had set to 0, or 0 was "
            "divided by 0");
  EXPECT_EQ(
      first_pattern(rows(each([](double v, std::size_t i) { return i < 18 ? v : std::nan(""); }))),
      "not-a-number: NaN from place 18 on: nothing was written there, or += to what nobody had set to 0, or 0 was "
      "divided by 0");
  EXPECT_EQ(first_pattern(rows([](auto& all) { all[7] = std::nan(""); })),
            "not-a-number: 1 of 24 are NaN, the first at place 7: not written, 0 / 0, or ∞ − ∞");
  EXPECT_EQ(
      first_pattern(rows([](auto& all) { all[7] = INFINITY; })),
      "not-a-number: infinite at place 7: a division by 0, or too large a power (e^89 is more than a float holds)");
}

TEST(Patterns, MinusInfinityMayHaveBeenWrittenOnPurpose) {
  EXPECT_EQ(first_pattern(rows([](auto& all) { all[7] = -INFINITY; })),
            "not-a-number: −∞ at place 7: written there, or from −1 / 0 or std::log(0)");
}

TEST(Patterns, OfASingleNumberASmallFactorSaysNothing) { EXPECT_EQ(first_pattern({.expected = {3}, .got = {1}}), ""); }

TEST(Patterns, ZeroOrAsItCame) {
  EXPECT_EQ(first_pattern(rows(each([](double, std::size_t) { return 0.0; }))),
            "all-zero: all zero: nothing was added up, or a whole-number division gave 0");
  Beside beside = rows([](auto& all) { all = noise(24, 9); });
  beside.inputs = {{"y", noise(24, 8)}, {"x", noise(24, 9)}};
  EXPECT_EQ(first_pattern(beside), "unchanged-input: this is x, unchanged");
  beside = rows(each([](double, std::size_t) { return 0.0; }));
  beside.inputs = {{"bytes", std::vector<double>(24)}};
  EXPECT_EQ(find_patterns(beside).size(), 1U) << "what is zero was not multiplied by an input of zeros";
}

TEST(Patterns, Signs) {
  EXPECT_EQ(first_pattern(rows(each([](double v, std::size_t) { return -v; }))),
            "sign-flipped: the sign is flipped, everywhere");
  EXPECT_EQ(first_pattern(rows(each([](double v, std::size_t i) { return i % 3 == 0 ? -v : v; }))),
            "sign-flipped: the sizes are right, some signs are flipped");
}

TEST(Patterns, AFactorIsNamedWhereItIsALengthOrItsRoot) {
  EXPECT_EQ(first_pattern(rows(each([](double v, std::size_t) { return v / std::sqrt(6.0); }))),
            "constant-factor: every number is 2.449 times too small, that is √6");
  EXPECT_EQ(first_pattern(rows(each([](double v, std::size_t) { return v * 24; }))),
            "constant-factor: every number is 24 times too large, that is 24, a number of elements");
  EXPECT_EQ(first_pattern(rows(each([](double v, std::size_t) { return v * -1.37; }))),
            "constant-factor: every number is 1.37 times too large, and its sign flipped");
}

TEST(Patterns, OfASingleNumberOnlyAFactorThatMeansSomething) {
  Beside beside{.expected = {0.3}, .got = {0.3 / 32}, .inputs = {{"weights", noise(32, 1)}}};
  EXPECT_EQ(first_pattern(beside), "constant-factor: it is 32 times too small, that is 32, a number of elements");
  beside.got = {0.3 / 1.37};
  EXPECT_EQ(first_pattern(beside), "");
}

TEST(Patterns, AFactorOrASumThatIsAnInput) {
  static const std::vector<double> weight = noise(6, 5), x = noise(24, 6);
  Beside beside = rows(each([](double v, std::size_t i) { return v / weight[i % 6]; }));
  beside.inputs = {{"x", x}, {"weight", weight}};
  EXPECT_EQ(first_pattern(beside),
            "factor-of-an-input: every number times its weight would be right: weight is not used");
  beside.got = rows(each([](double v, std::size_t i) { return v - x[i]; })).got;
  EXPECT_EQ(first_pattern(beside), "offset-of-an-input: x is missing: added to what came out, it would be right");
}

TEST(Patterns, EachRowByItsOwnFactor) {
  EXPECT_EQ(first_pattern(rows(each([](double v, std::size_t i) { return v * static_cast<double>(2 + i / 6); }))),
            "factor-by-row: each row is off by a factor of its own: what a row is divided by is wrong");
}

TEST(Patterns, TheSameAddedToAll) {
  EXPECT_EQ(first_pattern(rows(each([](double v, std::size_t) { return v - 0.25; }))),
            "constant-offset: every number is 0.25 too small");
}

TEST(Patterns, ShiftedPlacesAndRows) {
  EXPECT_EQ(first_pattern(rows([](auto& all) { std::rotate(all.begin(), all.end() - 1, all.end()); })),
            "shifted: every number stands one place too late: an index is off by 1");
  EXPECT_EQ(first_pattern(rows([](auto& all) { std::rotate(all.begin(), all.begin() + 2, all.end()); })),
            "shifted: every number stands 2 places too early: an index is off by 2");
  Beside beside = rows([](auto& all) { std::rotate(all.begin(), all.end() - 6, all.end()); });
  beside.row = "token";
  EXPECT_EQ(first_pattern(beside), "shifted: every token stands one too late: an index is off by 1");
}

TEST(Patterns, OtherOrders) {
  EXPECT_EQ(first_pattern(rows([](auto& all) { std::reverse(all.begin(), all.end()); })),
            "reversed: the right numbers, from the last to the first");
  const auto transpose = [](std::vector<double>& all, std::size_t first, std::size_t a, std::size_t b) {
    const std::vector<double> from(all.begin() + static_cast<std::ptrdiff_t>(first), all.end());
    for (std::size_t i = 0; i < a * b; ++i) all[first + i] = from[i % a * b + i / a];
  };
  EXPECT_EQ(first_pattern(rows([&](auto& all) { transpose(all, 0, 4, 6); })),
            "transposed: rows and columns are exchanged: what came out is laid out [6, 4] instead of [4, 6]");
  EXPECT_EQ(
      first_pattern(rows([&](auto& all) {
        for (std::size_t r = 0; r < 4; ++r) transpose(all, 6 * r, 2, 3);
      })),
      "transposed: rows and columns are exchanged: what came out is laid out [3, 2] instead of [2, 3] in each row");
  EXPECT_EQ(first_pattern(rows([](auto& all) { std::sort(all.begin(), all.end()); })),
            "reordered: these are the right numbers, in another order");
}

TEST(Patterns, SomePlacesAndWhatIsWrongThere) {
  EXPECT_EQ(first_pattern(rows(each([](double v, std::size_t i) { return i % 2 == 1 ? 3 * v : v; }))),
            "some-places: only the odd places are wrong; there, every number is 3 times too large");
  EXPECT_EQ(first_pattern(rows(each([](double v, std::size_t i) { return i / 2 % 2 == 1 ? v * v + 7 : v; }))),
            "some-places: only the odd pairs are wrong");
  EXPECT_EQ(first_pattern(rows(each([](double v, std::size_t i) { return i % 6 >= 3 ? v * v + 7 : v; }))),
            "some-places: only the second half of each row is wrong");
  EXPECT_EQ(first_pattern(rows(each([](double v, std::size_t i) { return i % 6 == 5 ? v * v + 7 : v; }))),
            "some-places: only the last place of each row is wrong");
}

TEST(Patterns, WhereItIsWrongIsSaidOnce) {
  const Beside last{.expected = {3, 4, 5, 6}, .got = {3, 4, 5, 60}};
  EXPECT_EQ(find_patterns(last).size(), 1U);
  EXPECT_EQ(first_pattern(last), "some-places: only the last one is wrong");
}

TEST(Patterns, HowFarItIsOffIsSaidOnce) {
  const Beside twice{.expected = {3, 3, 3}, .got = {6, 6, 6}, .inputs = {{"x", {3, 3, 3}}}};  // 3 more, and x more, too
  EXPECT_EQ(find_patterns(twice).size(), 1U);
  EXPECT_EQ(first_pattern(twice), "constant-factor: every number is 2 times too large");
}

TEST(Patterns, RightUpToAPlace) {
  EXPECT_EQ(first_pattern(rows(each([](double v, std::size_t i) { return i < 12 ? v : v * v + 7; }))),
            "beyond: right up to row 1, wrong from 2 on");
  EXPECT_EQ(first_pattern(rows(each([](double v, std::size_t i) { return i < 18 ? v : v * v + 7; }))),
            "beyond: only the last row is wrong");
  Beside beside{.expected = noise(21, 1), .got = noise(21, 1)};
  for (std::size_t i = 16; i < 21; ++i) beside.got[i] *= beside.got[i] + 7;
  EXPECT_EQ(first_pattern(beside),
            "beyond: wrong from place 16 on: what is left over behind the last whole group of 16");
}

TEST(Patterns, AnotherOrderOfMagnitude) {
  Beside beside{.expected = noise(24, 1), .got = noise(24, 3), .shape = {4, 6}};
  for (double& v : beside.got) v *= 1000;
  EXPECT_EQ(first_pattern(beside).substr(0, 25), "order-of-magnitude: about");
}

std::string whole(std::vector<double> expected, std::vector<double> got, unsigned bits) {
  return first_pattern({.expected = std::move(expected), .got = std::move(got), .bits = bits, .tolerance = 0});
}

TEST(Patterns, WholeNumbers) {
  EXPECT_EQ(whole({0x3f80, 0x4049, 0x1234}, {0x803f, 0x4940, 0x3412}, 16),
            "byte-order: the bytes of each number are the other way round");
  EXPECT_EQ(whole({0x12, 0x34, 0x5a}, {0x21, 0x43, 0xa5}, 8), "byte-order: the two halves of each byte are exchanged");
  EXPECT_EQ(whole({7, 100, 3, 8}, {7, 99, 3, 7}, 32), "rounding: 2 of 4 are wrong by one: rounded another way");
  EXPECT_EQ(whole({7, 100, 3, 8}, {8, 101, 4, 9}, 32), "constant-offset: every number is 1 too large");
}

TEST(Patterns, MoreOrFewer) {
  EXPECT_EQ(whole({1, 2, 3, 4}, {1, 2, 3}, 32), "length: it stops too early, 3 instead of 4: the last is missing");
  EXPECT_EQ(whole({1, 2, 3, 4}, {3, 4}, 32), "length: it begins too late, 2 instead of 4: the first are missing");
  EXPECT_EQ(whole({1, 2}, {1, 2, 0}, 32), "length: it goes on too long, 3 instead of 2: what comes first is right");
  EXPECT_EQ(whole({1, 2}, {9, 1, 2}, 32),
            "length: something stands in front that does not belong there: 3 instead of 2");
  EXPECT_EQ(whole({1, 2, 3}, {}, 32), "length: nothing came out, where 3 were expected");
}

}  // namespace
}  // namespace rung::learn
