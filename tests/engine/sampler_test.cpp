// From logits to a token. The filtered distribution is held to transformers' in sampling_golden_test.cpp; here: the
// draw.
#include "engine/sampler.h"

#include <gtest/gtest.h>

#include <cmath>
#include <limits>
#include <map>
#include <vector>

#include "base/error.h"

namespace rung {
namespace {

constexpr float kInfinity = std::numeric_limits<float>::infinity();
const std::vector<float> kLogits{1.0f, 3.0f, -2.0f, 3.0f, 0.5f, 2.0f};

TEST(Sampler, IsGreedyAtTemperatureZeroAndTakesTheFirstOfEquals) {
  Sampler sampler({.temperature = 0});
  for (int i = 0; i < 10; ++i) EXPECT_EQ(sampler.sample(kLogits, {}), 1);
}

TEST(Sampler, ThePenaltyReachesGreedyToo) {
  Sampler sampler({.temperature = 0, .repeat_penalty = 2});
  const std::vector<std::int32_t> seen{1, 3, 3};
  EXPECT_EQ(sampler.sample(kLogits, {.tokens = seen}), 5);
}

// logit[j] − frequency·c[j] − presence·(c[j] > 0), c over the answer alone.
// https://platform.openai.com/docs/guides/text-generation
TEST(Sampler, PresenceAndFrequencyAreTakenFromWhatTheAnswerHolds) {
  const std::vector<std::int32_t> tokens{0, 0, 5, 1, 3, 1, 1};  // the first three are the prompt
  const auto chance = [&](const Sampling& sampling, std::int32_t id) {
    for (const Candidate& c : Sampler(sampling).distribution(kLogits, {.tokens = tokens, .prompt_tokens = 3})) {
      if (c.id == id) return c.probability;
    }
    return 0.0;
  };
  // Tokens 1 and 3 both have the logit 3; with these, 3 − 3·0.5 − 0.25 and 3 − 0.5 − 0.25. Tokens 0 and 5 keep theirs.
  const Sampling s{.temperature = 1, .top_p = 1, .presence_penalty = 0.25f, .frequency_penalty = 0.5f};
  EXPECT_NEAR(chance(s, 1) / chance(s, 3), std::exp(-1.0), 1e-6);
  EXPECT_NEAR(chance(s, 5) / chance(s, 3), std::exp(2 - 2.25), 1e-6);
  EXPECT_NEAR(chance(s, 5) / chance(s, 0), std::exp(2 - 1.0), 1e-6);
  Sampler greedy({.temperature = 0, .presence_penalty = 1.5f});
  EXPECT_EQ(greedy.sample(kLogits, {.tokens = tokens, .prompt_tokens = 3}), 5) << "greedy, too";
}

TEST(Sampler, RulesThatLeaveNothingAreAnError) {
  Sampler sampler({.suppress = {0, 1, 2, 3, 4, 5}});
  EXPECT_THROW(sampler.sample(kLogits), Error);
}

TEST(Sampler, TheSameSeedGivesTheSameTokens) {
  Sampler a({.temperature = 1, .seed = 5});
  Sampler b({.temperature = 1, .seed = 5});
  Sampler c({.temperature = 1, .seed = 6});
  std::vector<std::int32_t> from_a, from_b, from_c;
  for (int i = 0; i < 200; ++i) {
    from_a.push_back(a.sample(kLogits, {}));
    from_b.push_back(b.sample(kLogits, {}));
    from_c.push_back(c.sample(kLogits, {}));
  }
  EXPECT_EQ(from_a, from_b);
  EXPECT_NE(from_a, from_c);
}

// Pearson's chi-square over 20,000 draws: with 5 degrees of freedom it exceeds 20.5 once in a thousand seeds (this one
// is fixed).
TEST(Sampler, DrawsFollowTheDistribution) {
  const Sampling sampling{.temperature = 1.3f, .top_p = 1, .seed = 42};
  Sampler sampler(sampling);
  constexpr int kDraws = 20000;
  std::map<std::int32_t, int> counts;
  for (int i = 0; i < kDraws; ++i) ++counts[sampler.sample(kLogits, {})];
  double chi_square = 0;
  for (const Candidate& c : Sampler(sampling).distribution(kLogits, {})) {
    const double expected = c.probability * kDraws;
    chi_square += (counts[c.id] - expected) * (counts[c.id] - expected) / expected;
  }
  EXPECT_LT(chi_square, 20.5);
}

TEST(Sampler, NeverDrawsWhatWasFilteredOut) {
  Sampler sampler({.temperature = 5, .top_k = 2, .top_p = 1, .seed = 1});
  for (int i = 0; i < 1000; ++i) {
    const std::int32_t id = sampler.sample(kLogits, {});
    EXPECT_TRUE(id == 1 || id == 3) << id;
  }
}

TEST(Sampler, ImpossibleTokensStayImpossible) {
  Sampler sampler({.temperature = 100, .top_p = 1, .seed = 1});
  const std::vector<float> logits{0, -kInfinity, 0};
  for (int i = 0; i < 1000; ++i) EXPECT_NE(sampler.sample(logits, {}), 1);
}

TEST(Sampler, ATinyTemperatureIsNearlyGreedyAndNoOverflow) {
  Sampler sampler({.temperature = 1e-38f, .top_p = 1, .seed = 1});
  EXPECT_EQ(sampler.sample(std::vector<float>{1, 1000, 999}, {}), 1);
}

TEST(Sampler, LogitsThatAreNoNumbersAreAnError) {
  for (const float bad : {std::nanf(""), kInfinity}) {
    EXPECT_THROW(Sampler({}).sample(std::vector<float>{0, bad}, {}), Error);
  }
  EXPECT_THROW(Sampler({}).sample(std::vector<float>{-kInfinity, -kInfinity}, {}), Error);
}

TEST(Sampling, OutOfRangeIsAnErrorThatNamesTheOption) {
  const auto message = [](const Sampling& s) {
    try {
      check(s);
    } catch (const Error& e) {
      return std::string(e.what());
    }
    return std::string();
  };
  EXPECT_EQ(message({}), "");
  EXPECT_NE(message({.temperature = -1}).find("temperature is"), std::string::npos);
  EXPECT_NE(message({.temperature = std::nanf("")}).find("temperature is"), std::string::npos);
  EXPECT_NE(message({.top_p = 0}).find("top-p is 0"), std::string::npos);
  EXPECT_NE(message({.min_p = 2}).find("min-p is"), std::string::npos);
  EXPECT_NE(message({.repeat_penalty = 0}).find("repeat-penalty is"), std::string::npos);
  EXPECT_NE(message({.presence_penalty = 2.5f}).find("presence-penalty is 2.5, expected -2 to 2"), std::string::npos);
  EXPECT_NE(message({.frequency_penalty = -3}).find("frequency-penalty is"), std::string::npos);
}

}  // namespace
}  // namespace rung
