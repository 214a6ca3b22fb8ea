// The ladder of kernels (bench/ladder): every rung gives the sums of the formula.
//
// Each is held to sums in double precision of the values that it multiplies, rounded to eight bits where it rounds. n
// additions in f32 are off by at most n·ε/2 of the sum of magnitudes, whatever their order.
#include "bench/ladder/ladder.h"

#include <gtest/gtest.h>

#include <cmath>
#include <limits>
#include <random>

namespace ladder {
namespace {

std::vector<float> some_values(std::size_t n, unsigned seed) {
  std::mt19937 random(seed);
  std::vector<float> values(n);
  for (float& v : values) v = static_cast<float>(random() % 65536) / 32768.0f - 1.0f;
  return values;
}

std::vector<float> rounded(std::vector<float> values) {
  for (std::size_t b = 0; b < values.size(); b += 32) {
    const Block block = quantize(&values[b]);
    for (std::size_t i = 0; i < 32; ++i) values[b + i] = block.scale * static_cast<float>(block.q[i]);
  }
  return values;
}

class Ladder : public testing::TestWithParam<Rung> {
 protected:
  const Rung& rung = GetParam();

  std::vector<float> multiply(const std::vector<float>& weights, const std::vector<float>& x, const Shape& shape,
                              std::size_t threads = 2) {
    rung::Arena arena;
    rung::ThreadTeam team(threads);
    std::byte* packed = arena.take(rung.packed_bytes(shape));
    rung.pack(packed, weights.data(), shape);
    std::vector<float> out(shape.rows * shape.tokens, 123.0f);
    rung.multiply(out.data(), packed, x.data(), shape, team);
    return out;
  }
};

TEST_P(Ladder, GivesTheSumsOfTheFormula) {
  for (const Shape& shape : {Shape{16, 32, 1}, Shape{32, 64, 2}, Shape{48, 96, 3}, Shape{64, 1024, 7}}) {
    SCOPED_TRACE(testing::Message() << shape.rows << " x " << shape.columns << ", " << shape.tokens << " tokens");
    const std::vector<float> weights = some_values(shape.rows * shape.columns, 1),
                             x = some_values(shape.tokens * shape.columns, 2);
    const std::vector<float> out = multiply(weights, x, shape);
    const std::vector<float> w = rung.rounds == Rounds::nothing ? weights : rounded(weights);
    const std::vector<float> v = rung.rounds == Rounds::both ? rounded(x) : x;
    for (std::size_t t = 0; t < shape.tokens; ++t) {
      for (std::size_t r = 0; r < shape.rows; ++r) {
        double sum = 0, magnitude = 0;
        for (std::size_t i = 0; i < shape.columns; ++i) {
          const double product =
              static_cast<double>(w[r * shape.columns + i]) * static_cast<double>(v[t * shape.columns + i]);
          sum += product;
          magnitude += std::fabs(product);
        }
        const double tolerance = static_cast<double>(shape.columns + 5) * magnitude *
                                 static_cast<double>(std::numeric_limits<float>::epsilon() / 2);
        ASSERT_NEAR(out[t * shape.rows + r], sum, tolerance) << "token " << t << ", row " << r;
      }
    }
  }
}

// Eight bits move a value by at most half a scale: the largest of its block / 254.
TEST_P(Ladder, StaysNearTheUnroundedSums) {
  const Shape shape{32, 512, 3};
  const std::vector<float> weights = some_values(shape.rows * shape.columns, 3),
                           x = some_values(shape.tokens * shape.columns, 4);
  const std::vector<float> out = multiply(weights, x, shape);
  for (std::size_t t = 0; t < shape.tokens; ++t) {
    for (std::size_t r = 0; r < shape.rows; ++r) {
      double sum = 0;
      for (std::size_t i = 0; i < shape.columns; ++i) {
        sum += static_cast<double>(weights[r * shape.columns + i]) * static_cast<double>(x[t * shape.columns + i]);
      }
      ASSERT_NEAR(out[t * shape.rows + r], sum, 512.0 * 2 / 254 * 1.01);
    }
  }
}

TEST_P(Ladder, TakesABlockOfZeros) {
  const Shape shape{16, 64, 2};
  for (const float y : multiply(std::vector<float>(16 * 64), some_values(2 * 64, 5), shape)) EXPECT_EQ(y, 0.0f);
  for (const float y : multiply(some_values(16 * 64, 6), std::vector<float>(2 * 64), shape)) EXPECT_EQ(y, 0.0f);
}

TEST_P(Ladder, GivesTheSameBitsForAnyNumberOfThreads) {
  const Shape shape{112, 96, 5};
  const std::vector<float> weights = some_values(shape.rows * shape.columns, 7),
                           x = some_values(shape.tokens * shape.columns, 8);
  const std::vector<float> one = multiply(weights, x, shape, 1);
  for (const std::size_t n : {2u, 3u, 5u}) EXPECT_EQ(multiply(weights, x, shape, n), one) << n;
}

INSTANTIATE_TEST_SUITE_P(EveryRung, Ladder, testing::ValuesIn(rungs().begin(), rungs().end()),
                         [](const testing::TestParamInfo<Rung>& rung) {
                           return std::string(rung.param.name).substr(2);
                         });

}  // namespace
}  // namespace ladder
