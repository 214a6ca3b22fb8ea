// Perplexity: hand-made losses, windows drawn on paper, and the numbers of llama.cpp and transformers.
#include "measure/perplexity.h"

#include <gtest/gtest.h>

#include <cmath>
#include <limits>
#include <numeric>

#include "base/error.h"
#include "measure/quality_golden.h"

namespace rung {
namespace {

// ---- Losses ----

TEST(Losses, OfADieWithEightSidesHaveAPerplexityOfEight) {
  const std::vector<float> logits(8, 3.25f);
  Losses losses;
  for (int i = 0; i < 5; ++i) losses.add(log_sum_exp(logits) - 3.25);
  EXPECT_NEAR(losses.perplexity(), 8, 1e-12);
  EXPECT_NEAR(losses.standard_error(), 0, 1e-7);
}

TEST(Losses, HaveAMeanAndItsStandardError) {
  Losses losses;
  for (const double loss : {1.0, 2.0, 3.0}) losses.add(loss);
  EXPECT_DOUBLE_EQ(losses.mean(), 2);
  EXPECT_NEAR(losses.standard_error(), std::sqrt((2.0 / 3) / 2), 1e-12);
  EXPECT_NEAR(losses.perplexity_error(), std::exp(2) * losses.standard_error(), 1e-12);
}

TEST(Losses, CountByTheirWeight) {
  Losses losses;
  losses.add(1, 1);
  losses.add(4, 0.5);
  EXPECT_DOUBLE_EQ(losses.mean(), 2);
}

TEST(LogSumExp, IsExactForKnownSumsAndNeverOverflows) {
  EXPECT_NEAR(log_sum_exp(std::vector<float>{0, 0, 0, 0}), std::log(4), 1e-15);
  EXPECT_NEAR(log_sum_exp(std::vector<float>{std::log(1.0f), std::log(2.0f), std::log(5.0f)}), std::log(8), 1e-7);
  EXPECT_NEAR(log_sum_exp(std::vector<float>{1e30f, 1e30f}), static_cast<double>(1e30f), 1e15);
  EXPECT_NEAR(log_sum_exp(std::vector<float>{-1e4f, -1e4f}), -1e4 + std::log(2), 1e-9);
}

TEST(Losses, OfLogitsThatAreNoNumbersAreAnError) {
  Device device("reference", 1);
  const TokenId next = 1;
  for (const float bad : {std::numeric_limits<float>::quiet_NaN(), std::numeric_limits<float>::infinity()}) {
    std::vector<float> logits{0, 1, bad};
    EXPECT_THROW(losses_of({logits.data(), {1, 3}}, {&next, 1}, device.team()), Error);
  }
}

// ---- Windows ----

std::string drawn(const std::vector<Window>& windows) {
  std::string out;
  for (const Window& w : windows) {
    out += std::string(w.begin, ' ') + std::string(w.first_counted - w.begin, '.') +
           std::string(w.end - w.first_counted, '#') + "\n";
  }
  return out;
}

TEST(Windows, InHalvesStandSideBySideAndWhatIsLeftIsLeftOut) {
  EXPECT_EQ(drawn(halves_of(19, 8)),
            ".....###\n"
            "        .....###\n");
  EXPECT_TRUE(halves_of(7, 8).empty());
  EXPECT_EQ(halves_of(512, 512)[0].end - halves_of(512, 512)[0].first_counted, 255u);
}

TEST(Windows, ThatSlideCountEachTokenOnceButTheFirst) {
  EXPECT_EQ(drawn(sliding(11, 6, 3)),
            ".#####\n"
            "   ...###\n"
            "      ...##\n");
  EXPECT_EQ(drawn(sliding(5, 100, 50)), ".####\n");
  for (const std::size_t stride : {2u, 3u, 5u, 7u}) {
    std::vector<int> counted(50);
    for (const Window& w : sliding(50, 7, stride)) {
      for (std::size_t t = w.first_counted; t < w.end; ++t) ++counted[t];
    }
    EXPECT_EQ(counted[0], 0);
    // With a stride of a whole window, the first token of each has nothing before it.
    for (std::size_t t = 1; t < 50; ++t) EXPECT_EQ(counted[t], stride == 7 && t % 7 == 0 ? 0 : 1) << t;
  }
}

TEST(Windows, ThatSlideWeighAsTheOriginalWeighsThem) {
  const std::vector<Window> windows = sliding(11, 6, 3);
  EXPECT_DOUBLE_EQ(windows[0].weight, 1);        // 6 tokens, 5 foretold
  EXPECT_DOUBLE_EQ(windows[1].weight, 2.0 / 3);  // 3 tokens, all foretold
  EXPECT_DOUBLE_EQ(windows[2].weight, 1.0 / 2);
  for (const Window& w : sliding(12, 4, 4)) EXPECT_DOUBLE_EQ(w.weight, 1);
}

TEST(Windows, GoThroughTheModelInStretchesThatMissNothing) {
  WindowedText text{std::vector<TokenId>(1000), {{100, 700, 401}}, TokenId{-1}};
  std::iota(text.ids.begin(), text.ids.end(), 0);
  for (const std::size_t vocab_size : {100u, 300000u}) {
    std::vector<TokenId> read, next;
    for (const Stretch& stretch : stretches_of(text, text.windows[0], vocab_size)) {
      EXPECT_LE(stretch.ids.size() * vocab_size * sizeof(float), std::size_t{80} << 20);
      // A row that counts is followed by its token.
      for (std::size_t i = 0; i < stretch.next.size(); ++i) {
        EXPECT_EQ(stretch.next[i], stretch.ids[stretch.first_counted() + i] + 1);
      }
      read.insert(read.end(), stretch.ids.begin(), stretch.ids.end());
      next.insert(next.end(), stretch.next.begin(), stretch.next.end());
    }
    ASSERT_EQ(read.size(), 599u);  // all but the window's last
    EXPECT_EQ(read.front(), -1);
    EXPECT_EQ(read[1], 101);
    EXPECT_EQ(read.back(), 698);
    ASSERT_EQ(next.size(), 299u);
    EXPECT_EQ(next.front(), 401);
    EXPECT_EQ(next.back(), 699);
  }
}

// ---- A text ----

TEST(Text, ThatIsEmptyOrNoneIsRefusedByName) {
  EXPECT_NO_THROW(check_text("a\n\tb\xc3\xa9", "f"));
  for (const std::string& bad : {std::string(), std::string("a\0b", 3), std::string("a\xff")}) {
    try {
      check_text(bad, "some/file");
      FAIL();
    } catch (const Error& e) {
      EXPECT_EQ(std::string(e.what()).rfind("some/file: ", 0), 0u) << e.what();
    }
  }
}

// ---- Against the official implementations ----

TEST(Perplexity, IsThatOfLlamaCppAndTransformers) {
  const Json cases = perplexity_cases();
  for (const Json& c : cases["models"]) {
    const BareModel model(c["model"]);
    Device device("reference", 1);
    const auto perplexity = [&](std::vector<Window> windows) {
      return evaluate(model.model(), device, windowed(c["ids"], std::move(windows))).losses;
    };
    for (const Json& official : c["halves"]) {
      SCOPED_TRACE(c["model"].get<std::string>() + ", halves, " + official["by"].get<std::string>());
      const Losses ours = perplexity(halves_of(c["ids"].size(), official["window"]));
      EXPECT_EQ(ours.count(), official["counted"].get<std::size_t>());
      EXPECT_NEAR(ours.perplexity() / official["perplexity"].get<double>(), 1,
                  official["by"] == "llama.cpp" ? 1e-3 : 1e-5);
      EXPECT_NEAR(ours.perplexity_error() / official["error"].get<double>(), 1, 1e-3);
    }
    for (const Json& official : c["sliding"]) {
      SCOPED_TRACE(c["model"].get<std::string>() + ", stride " + official["stride"].dump());
      const Losses ours = perplexity(sliding(c["ids"].size(), official["window"], official["stride"]));
      EXPECT_EQ(ours.count(), official["counted"].get<std::size_t>());
      EXPECT_NEAR(ours.perplexity() / official["perplexity"].get<double>(), 1, 1e-5);
    }
  }
}

TEST(Perplexity, OfWhatWasReadIsKeptWhenSomebodyStops) {
  const Json c = perplexity_cases()["models"][0];
  const BareModel model(c["model"]);
  Device device("reference", 1);
  const WindowedText text = windowed(c["ids"], halves_of(c["ids"].size(), 64));
  const Evaluation part =
      evaluate(model.model(), device, text, [](const Evaluation& so_far) { return so_far.windows < 2; });
  EXPECT_EQ(part.windows, 2u);
  EXPECT_EQ(part.losses.count(), 2u * 31);
}

TEST(Perplexity, SeesTheBosInPlaceOfEachWindowsFirstToken) {
  const Json c = perplexity_cases()["models"][0];
  const BareModel model(c["model"]);
  Device device("reference", 1);
  WindowedText given = windowed(c["ids"], {{0, 64, 33}}), replaced = given;
  given.ids[0] = 3;
  replaced.first_of_window = 3;
  EXPECT_EQ(evaluate(model.model(), device, given).losses.mean(),
            evaluate(model.model(), device, replaced).losses.mean());
}

}  // namespace
}  // namespace rung
