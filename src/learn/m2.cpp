// The exercises of milestone M2: what must come out, the classic mistakes, the place in the engine.
//
// Each exercise has a namespace of its own. In it: reference (of the exercise's type), one function for each mistake,
// by_hand, random, place; and at the end of the file they are put together.
#include <cmath>
#include <utility>

#include "learn/exercise.h"
#include "learn/m2.h"
#include "learn/seams.h"

namespace rung::learn {

namespace {

constexpr const char* kRmsNormPage = "m2-forward-pass#rmsnorm";

}  // namespace

// ---- m2-rms-norm: out[i] = x[i] / √(mean(x²) + epsilon) · weight[i] ----
namespace rms_norm {
namespace {

using In = std::span<const float>;
using Out = std::span<float>;

float sum_of_squares(In x) {
  float sum = 0;
  for (const float value : x) sum += value * value;
  return sum;
}
float mean_of_squares(In x) { return sum_of_squares(x) / static_cast<float>(x.size()); }

void scaled(Out out, In x, In weight, float scale) {
  for (std::size_t i = 0; i < x.size(); ++i) out[i] = x[i] * scale * weight[i];
}

void reference(Out out, In x, In weight, float epsilon) {
  scaled(out, x, weight, 1 / std::sqrt(mean_of_squares(x) + epsilon));
}
void without_mean(Out out, In x, In weight, float epsilon) {
  scaled(out, x, weight, 1 / std::sqrt(sum_of_squares(x) + epsilon));
}
void not_squared(Out out, In x, In weight, float epsilon) {
  float sum = 0;
  for (const float value : x) sum += value;
  scaled(out, x, weight, 1 / std::sqrt(sum / static_cast<float>(x.size()) + epsilon));
}
void without_weight(Out out, In x, In, float epsilon) {
  const float scale = 1 / std::sqrt(mean_of_squares(x) + epsilon);
  for (std::size_t i = 0; i < x.size(); ++i) out[i] = x[i] * scale;
}
void without_root(Out out, In x, In weight, float epsilon) {
  scaled(out, x, weight, 1 / (mean_of_squares(x) + epsilon));
}
void without_epsilon(Out out, In x, In weight, float) { scaled(out, x, weight, 1 / std::sqrt(mean_of_squares(x))); }
void epsilon_outside(Out out, In x, In weight, float epsilon) {
  scaled(out, x, weight, 1 / (std::sqrt(mean_of_squares(x)) + epsilon));
}
void divided_by_weight(Out out, In x, In weight, float epsilon) {
  std::vector<float> inverse;
  for (const float w : weight) inverse.push_back(1 / w);
  reference(out, x, inverse, epsilon);
}
void whole_number_sum(Out out, In x, In weight, float epsilon) {
  int sum = 0;
  for (const float value : x) sum = static_cast<int>(static_cast<float>(sum) + value * value);
  scaled(out, x, weight, 1 / std::sqrt(static_cast<float>(sum) / static_cast<float>(x.size()) + epsilon));
}
void whole_number_mean(Out out, In x, In weight, float epsilon) {
  const int mean = static_cast<int>(sum_of_squares(x)) / static_cast<int>(x.size());
  scaled(out, x, weight, 1 / std::sqrt(static_cast<float>(mean) + epsilon));
}
void layer_norm(Out out, In x, In weight, float epsilon) {  // takes the mean away first, as older models do
  float mean = 0, squares = 0;
  for (const float value : x) mean += value / static_cast<float>(x.size());
  for (const float value : x) squares += (value - mean) * (value - mean) / static_cast<float>(x.size());
  for (std::size_t i = 0; i < x.size(); ++i) out[i] = (x[i] - mean) / std::sqrt(squares + epsilon) * weight[i];
}

std::vector<Argument> arguments(std::vector<float> x, std::vector<float> weight, float epsilon) {
  return {output("out", x.size()), {"x", std::move(x)}, {"weight", std::move(weight)}, {"epsilon", double{epsilon}}};
}

std::vector<Case> by_hand() {
  return {{.title = "two numbers, weights of 1",
           .arguments = arguments({3, 4}, {1, 1}, 0),
           .expected = {{std::vector<float>{0.848528f, 1.131371f}}},
           .arithmetic = "3·3 + 4·4 = 25\n25 / 2 = 12.5\n√12.5 = 3.535534\n3 / 3.535534, 4 / 3.535534"},
          {.title = "weights make places louder",
           .arguments = arguments({2, -2, 2, -2}, {1, 2, 3, 4}, 0),
           .expected = {{std::vector<float>{1, -2, 3, -4}}},
           .arithmetic = "4 + 4 + 4 + 4 = 16\n16 / 4 = 4\n√4 = 2\n2 / 2 · 1, −2 / 2 · 2, 2 / 2 · 3, −2 / 2 · 4"},
          {.title = "a vector of zeros",
           .arguments = arguments({0, 0, 0}, {1, 1, 1}, 1e-6f),
           .expected = {{std::vector<float>{0, 0, 0}}},
           .arithmetic = "the mean is 0: √(0 + ε) is small, but not 0\n0 / small = 0"},
          {.title = "a quiet vector, where ε counts",
           .arguments = arguments({0.3f, 0.4f}, {1, 1}, 0.125f),
           .expected = {{std::vector<float>{0.6f, 0.8f}}},
           .arithmetic = "0.3·0.3 + 0.4·0.4 = 0.25\n0.25 / 2 = 0.125\n√(0.125 + 0.125) = 0.5\n0.3 / 0.5, 0.4 / 0.5"}};
}

std::vector<Argument> random(Random& random) {
  const std::size_t n = whole(random, 1, 200);
  const double size = whole(random, 0, 2) != 0 ? 3 : 0.01;  // where x is small, ε is not
  std::vector<float> x = floats(random, n, size);
  return arguments(std::move(x), floats(random, n), whole(random, 0, 1) == 0 ? 1e-6f : 1e-2f);
}

void place(Seams& seams, LearnerFunction f) {
  seams.verbs.rms_norm = [f](Matrix out, ConstMatrix x, const Norm& norm) {
    for (std::size_t r = 0; r < x.extent<Rows>(); ++r) {
      call(f, out[r].span(), x[r].span(), norm.weight, norm.epsilon);
    }
  };
}

Race race() {
  Random random(1);
  return {.arguments = arguments(floats(random, 4096), floats(random, 4096), 1e-6f),
          .operations = 4.0 * 4096,
          .rivals = {{"Rung's, as the formula says it", function<reference>}}};
}

Exercise exercise() {
  return {.name = "m2-rms-norm",
          .reference = learn::reference<reference>(),
          .by_hand = by_hand,
          .random = random,
          .tolerance = 1e-5,
          .mistakes = {{"rms-norm-sum", "the squares are added up, but not divided by how many there are: x.size()",
                        kRmsNormPage, function<without_mean>},
                       {"rms-norm-not-squared", "x is added up as it is: square each, x[i] * x[i]", kRmsNormPage,
                        function<not_squared>},
                       {"rms-norm-weight", "weight is not used: each place is to be multiplied by its own weight[i]",
                        kRmsNormPage, function<without_weight>},
                       {"divided-by-the-weight", "divided by weight[i]: multiply by it", kRmsNormPage,
                        function<divided_by_weight>},
                       {"whole-number-sum",
                        "the sum is kept in a whole number, which drops what follows the point: make it a float",
                        kRmsNormPage, function<whole_number_sum>},
                       {"whole-number-mean",
                        "a whole number is divided by a whole number, which drops what follows the "
                        "point: make the sum a float",
                        kRmsNormPage, function<whole_number_mean>},
                       {"rms-norm-root", "the root is missing: divide by √(mean + ε)", kRmsNormPage,
                        function<without_root>},
                       {"rms-norm-epsilon-missing", "ε is not used: a vector of zeros is divided by zero", kRmsNormPage,
                        function<without_epsilon>},
                       {"rms-norm-epsilon-outside", "ε belongs under the root, with the mean: √(mean + ε)",
                        kRmsNormPage, function<epsilon_outside>},
                       {"rms-norm-centred", "the mean of x is taken away first: that is LayerNorm; RMSNorm does not",
                        kRmsNormPage, function<layer_norm>}},
          .place = place,
          .race = race};
}

}  // namespace
}  // namespace rms_norm

std::vector<Exercise> m2_exercises() {
  return {embedding::exercise(),   rms_norm::exercise(), linear::exercise(), one_head::exercise(),
          causal_mask::exercise(), softmax::exercise(),  gqa::exercise(),    rope::exercise(),
          swiglu::exercise(),      block::exercise(),    logits::exercise()};
}

}  // namespace rung::learn
