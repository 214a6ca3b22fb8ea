// M2's exercises that are a part of attention: one head, the mask, softmax, grouped queries. The engine then attends
// plainly (in_parts.h), with that part done by the learner.
#include <algorithm>
#include <cmath>
#include <limits>
#include <utility>

#include "kernels/scalar/scalar.h"
#include "learn/in_parts.h"
#include "learn/m2.h"
#include "learn/seams.h"

namespace rung::learn {

namespace {

constexpr float kInfinity = std::numeric_limits<float>::infinity();

}  // namespace

// ---- m2-one-head: softmax(scale·q·keys)·values ----
namespace one_head {

namespace {

std::vector<float> scores_of(In q, In keys, float scale) {
  std::vector<float> scores(keys.size() / q.size());
  for (std::size_t j = 0; j < scores.size(); ++j) {
    scores[j] = scale * scalar::kernels.dot(q.data(), &keys[j * q.size()], q.size());
  }
  return scores;
}
void mix(Out out, In shares, In values) {
  std::fill(out.begin(), out.end(), 0.0f);
  for (std::size_t j = 0; j < shares.size(); ++j) {
    scalar::kernels.add_scaled(out.data(), shares[j], &values[j * out.size()], out.size());
  }
}

}  // namespace

void reference(Out out, In q, In keys, In values, float scale) {
  std::vector<float> scores = scores_of(q, keys, scale);
  const float sum = scalar::kernels.exponentiate(scores.data(), scores.size()).sum;
  mix(out, scores, values);
  scalar::kernels.scale(out.data(), 1 / sum, out.size());
}

namespace {

constexpr const char* kPage = "m2-forward-pass#attention";

void unscaled(Out out, In q, In keys, In values, float) { reference(out, q, keys, values, 1); }
void undivided(Out out, In q, In keys, In values, float scale) {
  std::vector<float> powers = scores_of(q, keys, scale);
  for (float& p : powers) p = std::exp(p);
  mix(out, powers, values);
}
void scaled_late(Out out, In q, In keys, In values, float scale) {
  reference(out, q, keys, values, 1);
  scalar::kernels.scale(out.data(), scale, out.size());
}
void keys_for_values(Out out, In q, In keys, In, float scale) { reference(out, q, keys, keys, scale); }
void no_softmax(Out out, In q, In keys, In values, float scale) { mix(out, scores_of(q, keys, scale), values); }
void shares_of_scores(Out out, In q, In keys, In values, float scale) {
  std::vector<float> shares = scores_of(q, keys, scale);
  float sum = 0;
  for (const float s : shares) sum += s;
  for (float& s : shares) s /= sum;
  mix(out, shares, values);
}
// [d, n] read as [n, d].
std::vector<float> transposed(In matrix, std::size_t d) {
  const std::size_t n = matrix.size() / d;
  std::vector<float> turned(matrix.size());
  for (std::size_t i = 0; i < matrix.size(); ++i) turned[i] = matrix[i % d * n + i / d];
  return turned;
}
void keys_transposed(Out out, In q, In keys, In values, float scale) {
  reference(out, q, transposed(keys, q.size()), values, scale);
}
void values_transposed(Out out, In q, In keys, In values, float scale) {
  reference(out, q, keys, transposed(values, q.size()), scale);
}
void both_transposed(Out out, In q, In keys, In values, float scale) {
  keys_transposed(out, q, keys, transposed(values, q.size()), scale);
}
void divided_by_count(Out out, In q, In keys, In values, float scale) {
  undivided(out, q, keys, values, scale);
  scalar::kernels.scale(out.data(), static_cast<float>(q.size()) / static_cast<float>(keys.size()), out.size());
}

std::vector<Argument> arguments(std::vector<float> q, std::vector<float> keys, std::vector<float> values, float scale) {
  const std::size_t d = q.size(), n = keys.size() / d;
  return {output("out", d),
          {"q", std::move(q)},
          {"keys", std::move(keys), {n, d}},
          {"values", std::move(values), {n, d}},
          {"scale", double{scale}}};
}

std::vector<Case> by_hand() {
  return {{.title = "three tokens, two numbers each",
           .arguments = arguments({2, 0}, {1, 0, 0, 1, 1, 1}, {10, 0, 0, 10, 5, 5}, 0.70710678f),
           .expected = {{std::vector<float>{6.68712f, 3.31288f}}},
           .arithmetic = "scores: 2, 0, 2; times 0.7071: 1.41421, 0, 1.41421\n"
                         "powers: 4.11325, 1, 4.11325, together 9.22650; shares: 0.445808, 0.108384, 0.445808\n"
                         "0.445808·10 + 0.108384·0 + 0.445808·5 = 6.68712\n"
                         "0.445808·0 + 0.108384·10 + 0.445808·5 = 3.31288"},
          {.title = "a query of zeros: equal shares",
           .arguments = arguments({0, 0}, {1, 2, 3, 4, 5, 6, 7, 8}, {1, 2, 3, 4, 5, 6, 7, 8}, 0.5f),
           .expected = {{std::vector<float>{4, 5}}},
           .arithmetic = "all scores are 0, all powers 1, all shares 1/4\n(1 + 3 + 5 + 7) / 4 = 4\n"
                         "(2 + 4 + 6 + 8) / 4 = 5"},
          {.title = "one token to look at: its value, whatever the score is",
           .arguments = arguments({1, 2}, {3, -4}, {7, 9}, 0.7f),
           .expected = {{std::vector<float>{7, 9}}},
           .arithmetic = "one power divided by itself is a share of 1\n1·7 = 7, 1·9 = 9"}};
}

std::vector<Argument> random(Random& random) {
  const std::size_t d = whole(random, 2, 32), n = whole(random, 1, 20);
  std::vector<float> q = floats(random, d), keys = floats(random, n * d);
  return arguments(std::move(q), std::move(keys), floats(random, n * d), 1 / std::sqrt(static_cast<float>(d)));
}

void place(Seams& seams, LearnerFunction f) {
  place_part(seams, [f](AttentionParts& parts) {
    parts.head = [f](Out out, In q, In keys, In values, float scale) { call(f, out, q, keys, values, scale); };
  });
}

}  // namespace

Exercise exercise() {
  return {
      .name = "m2-one-head",
      .reference = learn::reference<reference>(),
      .by_hand = by_hand,
      .random = random,
      .tolerance = 1e-5,
      .mistakes = {{"query-scale",
                    "scale goes inside the power, e^(scale · score): it is missing, or it stands outside, where the "
                    "division by the sum takes it away again",
                    kPage, function<unscaled>},
                   {"not-divided-by-the-sum", "the powers are no shares yet: divide by their sum", kPage,
                    function<undivided>},
                   {"scale-after-softmax", "scale belongs to the scores, before e to the score; not to what comes out",
                    kPage, function<scaled_late>},
                   {"keys-for-values", "the keys were mixed: they are compared, what is mixed are the values", kPage,
                    function<keys_for_values>},
                   {"softmax-missing", "the scores themselves were taken as shares: softmax is missing", kPage,
                    function<no_softmax>},
                   {"exp-missing", "the scores are divided by their sum: e to each score first, std::exp", kPage,
                    function<shares_of_scores>},
                   {"keys-transposed", "keys is read as [d, n]: it has a row for each token, keys[j * d + i]", kPage,
                    function<keys_transposed>},
                   {"values-transposed", "values is read as [d, n]: it has a row for each token, values[j * d + i]",
                    kPage, function<values_transposed>},
                   {"keys-transposed",
                    "keys and values are read as [d, n]: they have a row for each token, keys[j * d + i]", kPage,
                    function<both_transposed>},
                   {"divided-by-the-count", "divided by how many keys there are: divide by the sum of the powers",
                    kPage, function<divided_by_count>}},
      .place = place};
}

}  // namespace one_head

// ---- m2-causal-mask: scores[t][j] = −∞ for j > first + t ----
namespace causal_mask {
namespace {

constexpr const char* kPage = "m2-forward-pass#attention";

// What `hidden(column, own)` says is hidden becomes `value`; `own` is the row's own column.
template <class Hidden>
void mask(Out scores, std::size_t keys, std::size_t first, const Hidden& hidden, float value = -kInfinity) {
  for (std::size_t i = 0; i < scores.size(); ++i) {
    if (hidden(i % keys, first + i / keys)) scores[i] = value;
  }
}
constexpr auto kAfter = [](std::size_t column, std::size_t own) { return column > own; };

void reference(Out scores, std::size_t, std::size_t keys, std::size_t first) { mask(scores, keys, first, kAfter); }
void itself(Out scores, std::size_t, std::size_t keys, std::size_t first) {
  mask(scores, keys, first, [](std::size_t column, std::size_t own) { return column >= own; });
}
void next(Out scores, std::size_t, std::size_t keys, std::size_t first) {
  mask(scores, keys, first, [](std::size_t column, std::size_t own) { return column > own + 1; });
}
void zero(Out scores, std::size_t, std::size_t keys, std::size_t first) { mask(scores, keys, first, kAfter, 0); }
template <int power>
void finite(Out scores, std::size_t, std::size_t keys, std::size_t first) {
  mask(scores, keys, first, kAfter,
       power == 0 ? std::numeric_limits<float>::lowest() : -std::pow(10.0f, static_cast<float>(power)));
}
void without_first(Out scores, std::size_t, std::size_t keys, std::size_t) { mask(scores, keys, 0, kAfter); }
void before(Out scores, std::size_t, std::size_t keys, std::size_t first) {
  mask(scores, keys, first, [](std::size_t column, std::size_t own) { return column < own; });
}
void by_tokens(Out scores, std::size_t tokens, std::size_t keys, std::size_t first) {
  for (std::size_t t = 0; t < tokens; ++t) {
    for (std::size_t j = first + t + 1; j < keys; ++j) scores[t * tokens + j] = -kInfinity;
  }
}
void nothing(Out, std::size_t, std::size_t, std::size_t) {}

std::vector<Argument> arguments(std::vector<float> scores, std::size_t tokens, std::size_t first) {
  const std::size_t keys = scores.size() / tokens;
  return {{"scores", std::move(scores), {tokens, keys}, true},
          {"tokens", static_cast<double>(tokens)},
          {"keys", static_cast<double>(keys)},
          {"first", static_cast<double>(first)}};
}

std::vector<Case> by_hand() {
  return {{.title = "a prompt of three tokens",
           .arguments = arguments({1, 2, 3, 4, 5, 6, 7, 8, 9}, 3, 0),
           .expected = {{std::vector<float>{1, -kInfinity, -kInfinity, 4, 5, -kInfinity, 7, 8, 9}}},
           .arithmetic = "token 0 sees column 0\ntoken 1 sees columns 0 and 1\ntoken 2 sees all three"},
          {.title = "one token at position 3, as when a word is written",
           .arguments = arguments({5, 6, 7, 8}, 1, 3),
           .expected = {{std::vector<float>{5, 6, 7, 8}}},
           .arithmetic = "row 0 stands at position 3 + 0 = 3: it sees columns 0 to 3, which is all"},
          {.title = "the rest of a prompt: token 0 was read before",
           .arguments = arguments({1, 2, 3, 4, 5, 6, 7, 8, 9, 10, 11, 12}, 3, 1),
           .expected = {{std::vector<float>{1, 2, -kInfinity, -kInfinity, 5, 6, 7, -kInfinity, 9, 10, 11, 12}}},
           .arithmetic = "row 0 stands at 1: columns 0 and 1, the others are hidden\n"
                         "row 1 stands at 2: columns 0 to 2, and 3 is hidden\nrow 2 stands at 3: all"}};
}

std::vector<Argument> random(Random& random) {
  const std::size_t tokens = whole(random, 1, 7), first = whole(random, 0, 1) * whole(random, 0, 9);
  return arguments(floats(random, tokens * (first + tokens)), tokens, first);
}

void place(Seams& seams, LearnerFunction f) {
  place_part(seams, [f](AttentionParts& parts) {
    parts.mask = [f](Out scores, std::size_t tokens, std::size_t keys, std::size_t first) {
      call(f, scores, tokens, keys, first);
    };
  });
}

}  // namespace

Exercise exercise() {
  return {
      .name = "m2-causal-mask",
      .reference = learn::reference<reference>(),
      .by_hand = by_hand,
      .random = random,
      .tolerance = 0,
      .mistakes = {{"mask-one-less", "a token does not see itself: its own column first + t stays", kPage,
                    function<itself>},
                   {"mask-one-more", "a token sees the one after it: the first hidden column is first + t + 1", kPage,
                    function<next>},
                   {"zero-for-minus-infinity", "e to the 0 is 1, a share like others: what is hidden is −∞", kPage,
                    function<zero>},
                   {"first-forgotten",
                    "row t stands at position first + t, not at t: so it is when words are written one by one", kPage,
                    function<without_first>},
                   {"row-of-tokens", "a row is keys long: scores[t * keys + j], not t * tokens", kPage,
                    function<by_tokens>},
                   {"mask-mirrored", "what comes before is hidden: it is the columns after the token's own", kPage,
                    function<before>},
                   {"no-infinity", "that is a large number, but not −∞: write -std::numeric_limits<float>::infinity()",
                    kPage, function<finite<9>>},
                   {"no-infinity", "that is a large number, but not −∞: write -std::numeric_limits<float>::infinity()",
                    kPage, function<finite<0>>},
                   {"causal-mask", "nothing is hidden: a token sees those after it", kPage, function<nothing>}},
      .place = place};
}

}  // namespace causal_mask

// ---- m2-softmax ----
namespace softmax {
namespace {

constexpr const char* kPage = "m2-forward-pass#softmax-without-overflow";

void divide(Out powers) {
  float sum = 0;
  for (const float p : powers) sum += p;
  for (float& p : powers) p /= sum;
}
void powers_above(Out scores, float largest) {
  for (float& s : scores) s = std::exp(s - largest);
}

void reference(Out scores) {
  const float sum = scalar::kernels.exponentiate(scores.data(), scores.size()).sum;
  for (float& s : scores) s /= sum;
}
void overflow(Out scores) {
  powers_above(scores, 0);
  divide(scores);
}
void from_zero(Out scores) {
  powers_above(scores, std::max(0.0f, *std::max_element(scores.begin(), scores.end())));
  divide(scores);
}
void running_sum(Out scores) {
  powers_above(scores, *std::max_element(scores.begin(), scores.end()));
  float sum = 0;
  for (float& s : scores) sum += s, s /= sum;
}
void plain_powers(Out scores) { powers_above(scores, 0); }
void undivided(Out scores) { powers_above(scores, *std::max_element(scores.begin(), scores.end())); }
void largest_below_only(Out scores) {
  std::vector<float> below(scores.begin(), scores.end());
  undivided(below);
  float sum = 0;
  for (const float p : below) sum += p;
  for (float& s : scores) s = std::exp(s) / sum;
}
void largest_above_only(Out scores) {
  float sum = 0;
  for (const float s : scores) sum += std::exp(s);
  undivided(scores);
  for (float& s : scores) s /= sum;
}
void least(Out scores) {
  powers_above(scores, *std::min_element(scores.begin(), scores.end()));
  divide(scores);
}

std::vector<Argument> arguments(std::vector<float> scores) { return {{"scores", std::move(scores), {}, true}}; }

std::vector<Case> by_hand() {
  return {{.title = "two scores",
           .arguments = arguments({0, 1.0986123f}),
           .expected = {{std::vector<float>{0.25f, 0.75f}}},
           .arithmetic = "e^0 = 1 and e^1.0986 = 3, together 4\n1 / 4, 3 / 4"},
          {.title = "large scores",
           .arguments = arguments({1000, 1001, 1002}),
           .expected = {{std::vector<float>{0.0900306f, 0.2447285f, 0.6652410f}}},
           .arithmetic = "the largest, 1002, taken away: −2, −1, 0\ne^…: 0.135335, 0.367879, 1, together 1.503215\n"
                         "0.135335 / 1.503215, 0.367879 / 1.503215, 1 / 1.503215"},
          {.title = "scores far below zero",
           .arguments = arguments({-200, -200}),
           .expected = {{std::vector<float>{0.5f, 0.5f}}},
           .arithmetic = "the largest, −200, taken away: 0, 0\ne^0 = 1 twice, together 2\n1 / 2, 1 / 2"},
          {.title = "one that may not be seen",
           .arguments = arguments({3, 3, -kInfinity, 3}),
           .expected = {{std::vector<float>{1.0f / 3, 1.0f / 3, 0, 1.0f / 3}}},
           .arithmetic = "3 taken away: 0, 0, −∞, 0\ne^…: 1, 1, 0, 1, together 3"}};
}

std::vector<Argument> random(Random& random) {
  std::vector<float> scores = floats(random, whole(random, 1, 60), 5);
  const float offset = static_cast<float>(whole(random, 0, 2)) * 150 - 150;
  for (float& s : scores) s += offset;
  return arguments(std::move(scores));
}

void place(Seams& seams, LearnerFunction f) {
  place_part(seams, [f](AttentionParts& parts) { parts.softmax = [f](Out scores) { call(f, scores); }; });
}

}  // namespace

Exercise exercise() {
  return {
      .name = "m2-softmax",
      .reference = learn::reference<reference>(),
      .by_hand = by_hand,
      .random = random,
      .tolerance = 1e-5,
      .mistakes =
          {{"no-maximum",
            "e to a large score is infinity, and infinity / infinity no number: take the largest "
            "score away first",
            kPage, function<overflow>},
           {"maximum-from-zero",
            "the search for the largest begins at 0: where all are below, all powers become 0. Begin with scores[0]",
            kPage, function<from_zero>},
           {"divided-by-a-part-of-the-sum", "divided while the sum still grows: divide in a loop of its own", kPage,
            function<running_sum>},
           {"not-divided-by-the-sum", "the powers are no shares yet: divide by their sum", kPage, function<undivided>},
           {"not-divided-by-the-sum", "the powers are no shares yet: divide by their sum", kPage,
            function<plain_powers>},
           {"largest-below-only", "m is taken away below the line only: take it away above, too, e^(s − m)", kPage,
            function<largest_below_only>},
           {"largest-above-only", "m is taken away above the line only: take it away below, too, e^(s − m)", kPage,
            function<largest_above_only>},
           {"least-for-largest", "the least score is taken away: then the powers are larger still", kPage,
            function<least>}},
      .place = place};
}

}  // namespace softmax

// ---- m2-gqa: head·kv_heads / heads ----
namespace gqa {

std::size_t reference(std::size_t head, std::size_t heads, std::size_t kv_heads) { return head * kv_heads / heads; }

namespace {

constexpr const char* kPage = "m2-forward-pass#fewer-keys-than-queries";

std::size_t modulo(std::size_t head, std::size_t, std::size_t kv_heads) { return head % kv_heads; }
std::size_t by_kv_heads(std::size_t head, std::size_t, std::size_t kv_heads) { return head / kv_heads; }
std::size_t fraction_first(std::size_t head, std::size_t heads, std::size_t kv_heads) {
  return head * (kv_heads / heads);
}
std::size_t divided_first(std::size_t head, std::size_t heads, std::size_t kv_heads) { return head / heads * kv_heads; }
std::size_t own(std::size_t head, std::size_t, std::size_t) { return head; }

std::vector<Argument> arguments(std::size_t head, std::size_t heads, std::size_t kv_heads) {
  return {{"head", static_cast<double>(head)},
          {"heads", static_cast<double>(heads)},
          {"kv_heads", static_cast<double>(kv_heads)}};
}

std::vector<Case> by_hand() {
  return {
      {.title = "32 heads of queries, 8 of keys",
       .arguments = arguments(13, 32, 8),
       .expected = {.result = 3.0},
       .arithmetic = "32 / 8 = 4 share one: 0 to 3, 4 to 7, 8 to 11, 12 to 15\n13 is in the fourth group, number 3"},
      {.title = "pebble's head 1",
       .arguments = arguments(1, 4, 2),
       .expected = {.result = 0.0},
       .arithmetic = "4 / 2 = 2 share one: 0 and 1, 2 and 3\n1 is in group 0"},
      {.title = "as many keys as queries: each has its own",
       .arguments = arguments(5, 8, 8),
       .expected = {.result = 5.0},
       .arithmetic = "8 / 8 = 1: nobody shares"}};
}

std::vector<Argument> random(Random& random) {
  const std::size_t kv_heads = whole(random, 1, 8), heads = kv_heads * whole(random, 1, 8);
  return arguments(whole(random, 0, heads - 1), heads, kv_heads);
}

void place(Seams& seams, LearnerFunction f) {
  place_part(seams, [f](AttentionParts& parts) {
    parts.key_head = [f](std::size_t head, std::size_t heads, std::size_t kv_heads) {
      return call<std::size_t>(f, head, heads, kv_heads);
    };
  });
}

}  // namespace

Exercise exercise() {
  return {.name = "m2-gqa",
          .reference = learn::reference<reference>(),
          .by_hand = by_hand,
          .random = random,
          .tolerance = 0,
          .mistakes = {{"gqa-grouping", "that is head mod kv_heads: neighbours share, not every kv_heads-th", kPage,
                        function<modulo>},
                       {"divided-by-kv-heads", "divide by how many share one, heads / kv_heads, not by kv_heads", kPage,
                        function<by_kv_heads>},
                       {"whole-number-fraction",
                        "kv_heads / heads is 0 in whole numbers: multiply first, or divide by heads / kv_heads", kPage,
                        function<fraction_first>},
                       {"divided-first",
                        "head / heads is 0 in whole numbers: multiply first, or divide by heads / kv_heads", kPage,
                        function<divided_first>},
                       {"own-key-head", "each head has keys of its own here: there are only kv_heads", kPage,
                        function<own>}},
          .place = place};
}

}  // namespace gqa

}  // namespace rung::learn
