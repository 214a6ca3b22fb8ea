// M2's exercise on logits: the last norm, then a dot product with each row of the head.
#include <cmath>
#include <memory>
#include <utility>

#include "kernels/scalar/scalar.h"
#include "learn/m2.h"
#include "learn/seams.h"

namespace rung::learn {

std::function<void(Matrix out, ConstMatrix x, const Norm& norm)> norm_of(const Seams& seams) {
  if (seams.verbs.rms_norm) return seams.verbs.rms_norm;
  return [](Matrix out, ConstMatrix x, const Norm& norm) {
    for (std::size_t r = 0; r < x.extent<Rows>(); ++r) {
      scalar::kernels.rms_norm(out[r].data(), x[r].data(), norm.weight.data(), norm.weight.size(), norm.epsilon);
    }
  };
}
std::function<void(Ops& inner, Matrix out, ConstMatrix x, const PackedMatrix& w)> linear_of(const Seams& seams) {
  if (seams.verbs.linear) return seams.verbs.linear;
  return [](Ops& inner, Matrix out, ConstMatrix x, const PackedMatrix& w) { inner.do_linear(out, x, w); };
}

namespace logits {

namespace {

constexpr const char* kPage = "m2-forward-pass#logits";

void reference(Out out, In x, In norm, In head, float epsilon) {
  std::vector<float> normed(x.size());
  scalar::kernels.rms_norm(normed.data(), x.data(), norm.data(), x.size(), epsilon);
  linear::reference(out, normed, head, 1, x.size(), out.size());
}
void no_norm(Out out, In x, In, In head, float) { linear::reference(out, x, head, 1, x.size(), out.size()); }
void no_weights(Out out, In x, In, In head, float epsilon) {
  reference(out, x, std::vector<float>(x.size(), 1.0f), head, epsilon);
}
// Divided by what `root` makes of the sum of the squares.
template <class Root>
void normed_by(Out out, In x, In norm, In head, const Root& root) {
  float squares = 0;
  for (const float value : x) squares += value * value;
  std::vector<float> normed(x.size());
  for (std::size_t i = 0; i < x.size(); ++i) normed[i] = x[i] / root(squares) * norm[i];
  linear::reference(out, normed, head, 1, x.size(), out.size());
}
void without_mean(Out out, In x, In norm, In head, float epsilon) {
  normed_by(out, x, norm, head, [&](float squares) { return std::sqrt(squares + epsilon); });
}
void without_root(Out out, In x, In norm, In head, float epsilon) {
  const float n = static_cast<float>(x.size());
  normed_by(out, x, norm, head, [&](float squares) { return squares / n + epsilon; });
}
void without_epsilon(Out out, In x, In norm, In head, float) { reference(out, x, norm, head, 0); }
void epsilon_outside(Out out, In x, In norm, In head, float epsilon) {
  const float n = static_cast<float>(x.size());
  normed_by(out, x, norm, head, [&](float squares) { return std::sqrt(squares / n) + epsilon; });
}
void shares(Out out, In x, In norm, In head, float epsilon) {
  reference(out, x, norm, head, epsilon);
  const float sum = scalar::kernels.exponentiate(out.data(), out.size()).sum;
  for (float& share : out) share /= sum;
}
void transposed(Out out, In x, In norm, In head, float epsilon) {
  std::vector<float> turned(head.size());
  for (std::size_t i = 0; i < head.size(); ++i) turned[i % out.size() * x.size() + i / out.size()] = head[i];
  reference(out, x, norm, turned, epsilon);
}

std::vector<Argument> arguments(std::vector<float> x, std::vector<float> norm, std::vector<float> head, float epsilon) {
  const std::size_t hidden = x.size(), vocabulary = head.size() / hidden;
  return {output("out", vocabulary),
          {"x", std::move(x)},
          {"norm", std::move(norm)},
          {"head", std::move(head), {vocabulary, hidden}},
          {"epsilon", double{epsilon}}};
}

std::vector<Case> by_hand() {
  return {{.title = "two numbers, three tokens",
           .arguments = arguments({3, 4}, {1, 1}, {1, 0, 0, 1, 1, -1}, 0),
           .expected = {{std::vector<float>{0.848528f, 1.131371f, -0.282843f}}},
           .arithmetic = "√((9 + 16) / 2) = 3.535534; normed: 3 / 3.535534 = 0.848528, 4 / 3.535534 = 1.131371\n"
                         "0.848528·1 + 1.131371·0 = 0.848528\n0.848528·0 + 1.131371·1 = 1.131371\n"
                         "0.848528·1 − 1.131371·1 = −0.282843"},
          {.title = "the norm's weights",
           .arguments = arguments({2, -2}, {1, 3}, {1, 1, 2, 0, 0, 1}, 0),
           .expected = {{std::vector<float>{-2, 2, -3}}},
           .arithmetic = "√((4 + 4) / 2) = 2; normed: 2 / 2 · 1 = 1, −2 / 2 · 3 = −3\n1 − 3 = −2\n2·1 = 2\n−3"},
          {.title = "a quiet row, where ε counts",
           .arguments = arguments({0.3f, 0.4f}, {1, 1}, {1, 0, 0, 1, 1, -1}, 0.125f),
           .expected = {{std::vector<float>{0.6f, 0.8f, -0.2f}}},
           .arithmetic = "(0.09 + 0.16) / 2 = 0.125; √(0.125 + 0.125) = 0.5; normed: 0.3 / 0.5 = 0.6, 0.4 / 0.5 = 0.8\n"
                         "0.6·1 + 0.8·0 = 0.6\n0.6·0 + 0.8·1 = 0.8\n0.6·1 − 0.8·1 = −0.2"}};
}

std::vector<Argument> random(Random& random) {
  const std::size_t hidden = whole(random, 2, 64), vocabulary = whole(random, 2, 80);
  const double size = whole(random, 0, 1) == 0 ? 3 : 0.01;  // where x is small, ε is not
  std::vector<float> x = floats(random, hidden, size), norm = floats(random, hidden);
  std::vector<float> head = floats(random, vocabulary * hidden);
  return arguments(std::move(x), std::move(norm), std::move(head), whole(random, 0, 1) == 0 ? 1e-6f : 1e-2f);
}

// Of the verbs these are two: the last norm, which no layer has in its name, and the linear layer after it.
void place(Seams& seams, LearnerFunction f) {
  struct Last {
    std::vector<float> x;  // before the norm; empty: the last norm was another one
    const Norm* norm = nullptr;
  };
  const auto last = std::make_shared<Last>();
  seams.verbs.rms_norm = [last, before = norm_of(seams)](Matrix out, ConstMatrix x, const Norm& norm) {
    last->x.clear();
    if (is_last_norm(norm)) last->x.assign(x.data(), x.data() + x.size());
    last->norm = &norm;
    before(out, x, norm);
  };
  seams.verbs.linear = [f, last, before = linear_of(seams)](Ops& inner, Matrix out, ConstMatrix x,
                                                            const PackedMatrix& w) {
    if (last->x.empty()) return before(inner, out, x, w);
    std::vector<float> scratch;
    for (std::size_t r = 0; r < out.extent<Rows>(); ++r) {
      call(f, out[r].span(), std::span<const float>(last->x).subspan(r * w.columns, w.columns), last->norm->weight,
           floats_of(w, scratch), last->norm->epsilon);
    }
  };
}

}  // namespace

Exercise exercise() {
  return {.name = "m2-logits",
          .reference = learn::reference<reference>(),
          .by_hand = by_hand,
          .random = random,
          .tolerance = 1e-5,
          .mistakes = {{"missing-final-norm", "the last norm is missing: the row is normed before it is compared",
                        kPage, function<no_norm>},
                       {"norm-weights-forgotten", "the norm's weights are not used: each place has its own norm[i]",
                        kPage, function<no_weights>},
                       {"rms-norm-sum", "the squares are added up, but not divided by how many there are: x.size()",
                        kPage, function<without_mean>},
                       {"rms-norm-root", "the root is missing: divide by √(mean + ε)", kPage, function<without_root>},
                       {"rms-norm-epsilon-missing", "ε is not used: it is added to the mean, under the root", kPage,
                        function<without_epsilon>},
                       {"rms-norm-epsilon-outside", "ε belongs under the root, with the mean: √(mean + ε)", kPage,
                        function<epsilon_outside>},
                       {"shares-for-logits",
                        "these are shares: leave the scores as they are, whoever chooses makes "
                        "shares of them",
                        kPage, function<shares>},
                       {"linear-transposed",
                        "the head is read as [hidden, vocabulary]: it has a row for each token, head[v * hidden + i]",
                        kPage, function<transposed>}},
          .place = place};
}

}  // namespace logits

}  // namespace rung::learn
