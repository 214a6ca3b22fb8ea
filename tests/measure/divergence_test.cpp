// The distance of two models: distributions whose divergence is known, and what PyTorch finds for tiny models.
#include "measure/divergence.h"

#include <gtest/gtest.h>

#include <cmath>

#include "base/error.h"
#include "measure/quality_golden.h"

namespace rung {
namespace {

// Logits of these probabilities; a constant more in each changes nothing.
std::vector<float> logits_of(const std::vector<double>& probabilities, double more = 0) {
  std::vector<float> logits;
  for (const double p : probabilities) logits.push_back(static_cast<float>(std::log(p) + more));
  return logits;
}

TEST(RowDistance, IsTheKullbackLeiblerDivergence) {
  const RowDistance row = row_distance(logits_of({0.5, 0.5}), logits_of({0.25, 0.75}, 7), 0);
  EXPECT_NEAR(row.divergence, 0.5 * std::log(2.0) + 0.5 * std::log(0.5 / 0.75), 1e-6);
  EXPECT_NEAR(row.base_loss, std::log(2), 1e-6);
  EXPECT_NEAR(row.loss, std::log(4), 1e-6);
  // It is no distance: the other way round it is another.
  EXPECT_NEAR(row_distance(logits_of({0.25, 0.75}), logits_of({0.5, 0.5}), 0).divergence,
              0.25 * std::log(0.5) + 0.75 * std::log(1.5), 1e-6);
}

TEST(RowDistance, OfACertaintyFromADieIsTheDiesEntropy) {
  EXPECT_NEAR(row_distance(std::vector<float>{0, -200, -200, -200}, std::vector<float>(4, 1.0f), 0).divergence,
              std::log(4), 1e-12);
}

TEST(RowDistance, IsZeroForTheSameDistribution) {
  const std::vector<float> logits{3, -1, 0.5f, 88};
  EXPECT_EQ(row_distance(logits, logits, 2).divergence, 0);
  EXPECT_TRUE(row_distance(logits, logits, 2).same_first);
}

TEST(RowDistance, SeesWhoIsLikeliest) {
  EXPECT_TRUE(row_distance(std::vector<float>{1, 2, 0}, std::vector<float>{0, 9, 8}, 0).same_first);
  EXPECT_FALSE(row_distance(std::vector<float>{1, 2, 0}, std::vector<float>{3, 2, 0}, 0).same_first);
}

Distance distance_of(const std::vector<RowDistance>& rows) {
  Distance d;
  for (const RowDistance& row : rows) d.add(row);
  return d;
}

TEST(Distance, SummarisesItsRows) {
  const Distance d = distance_of({{0.1, true, 1, 1 + std::log(2)},
                                  {0.3, true, 2, 2 + std::log(2)},
                                  {0.2, false, 3, 3 + std::log(2)},
                                  {0.2, true, 4, 4 + std::log(2)}});
  EXPECT_NEAR(d.mean_divergence().value, 0.2, 1e-12);
  EXPECT_NEAR(d.mean_divergence().error, std::sqrt(0.005 / 3), 1e-12);
  EXPECT_DOUBLE_EQ(d.same_first().value, 0.75);
  EXPECT_NEAR(d.same_first().error, std::sqrt(0.75 * 0.25 / 3), 1e-12);
  EXPECT_NEAR(d.perplexity_ratio().value, 2, 1e-12);  // each token costs ln 2 more
  EXPECT_NEAR(d.perplexity_ratio().error, 0, 1e-7);   // and that is certain, however much the tokens themselves differ
  EXPECT_DOUBLE_EQ(d.largest(), 0.3);
}

TEST(Distance, HasPercentilesAsNumPyHas) {
  std::vector<RowDistance> rows;
  for (int i = 100; i >= 0; --i) rows.push_back({static_cast<double>(i), true, 0, 0});
  EXPECT_DOUBLE_EQ(distance_of(rows).percentile(0.99), 99);
  EXPECT_DOUBLE_EQ(distance_of({{1, true, 0, 0}, {0, true, 0, 0}}).percentile(0.99), 0.99);
  EXPECT_DOUBLE_EQ(distance_of({{5, true, 0, 0}}).percentile(0.99), 5);
}

TEST(Distance, OfLogitsThatAreNoNumbersIsAnError) {
  Distance d;
  EXPECT_THROW(d.add(row_distance(std::vector<float>{0, 1}, std::vector<float>{NAN, 1}, 0)), Error);
  EXPECT_THROW(d.add(row_distance(std::vector<float>{0, 1}, std::vector<float>{INFINITY, 1}, 0)), Error);
}

TEST(Compare, FindsWhatPyTorchFinds) {
  const Json cases = perplexity_cases();
  for (const Json& pair : cases["distances"]) {
    SCOPED_TRACE(pair["base"].get<std::string>() + ", " + pair["other"].get<std::string>());
    const auto c = std::find_if(cases["models"].begin(), cases["models"].end(),
                                [&](const Json& m) { return m["model"] == pair["base"]; });
    const BareModel base(pair["base"]), other(pair["other"]);
    Device device("reference", 1);
    const std::vector<Contestant> contestants{{base.model(), device}, {other.model(), device}, {base.model(), device}};
    const Comparison found = compare(contestants, windowed((*c)["ids"], halves_of((*c)["ids"].size(), pair["window"])));
    const Distance& d = found.distances[0];
    EXPECT_EQ(d.count(), pair["counted"].get<std::size_t>());
    EXPECT_NEAR(d.mean_divergence().value / pair["divergence"].get<double>(), 1, 1e-5);
    EXPECT_NEAR(d.percentile(0.99) / pair["percentile_99"].get<double>(), 1, 1e-5);
    EXPECT_DOUBLE_EQ(d.same_first().value, pair["same_first"].get<double>());
    EXPECT_NEAR(d.perplexity_ratio().value / pair["perplexity_ratio"].get<double>(), 1, 1e-5);
    // And nothing between a model and itself.
    EXPECT_EQ(found.distances[1].largest(), 0);
    EXPECT_EQ(found.distances[1].same_first().value, 1);
    EXPECT_EQ(found.distances[1].perplexity_ratio().value, 1);
    EXPECT_EQ(found.distances[1].losses().mean(), found.base_losses.mean());
  }
}

}  // namespace
}  // namespace rung
