// The exercises of milestone M3: what must come out, the classic mistakes, the place in the engine. (What a namespace
// of an exercise holds: m2.cpp.)
#include <algorithm>
#include <cmath>
#include <functional>
#include <limits>
#include <numeric>
#include <utility>

#include "engine/sampler.h"
#include "learn/m3_stop_strings.h"
#include "learn/seams.h"

namespace rung::learn {

namespace choices {
namespace {

using In = std::span<const float>;
using Ids = std::vector<std::int32_t>;

constexpr const char* kGreedyPage = "m3-generation#always-the-likeliest";
constexpr const char* kTemperaturePage = "m3-generation#temperature";
constexpr const char* kTailPage = "m3-generation#cutting-off-the-tail";

std::vector<Candidate> candidates(In logits, Sampling sampling) {
  sampling.seed = 1;  // nothing is drawn
  return Sampler(sampling).distribution(logits);
}
Ids ids_of(const std::vector<Candidate>& candidates) {
  Ids ids;
  for (const Candidate& candidate : candidates) ids.push_back(candidate.id);
  return ids;
}

// Rung's draw, at temperature 1.
TokenId drawn(In logits, Random& random) {
  return Sampler({.temperature = 1, .top_p = 1, .seed = random.next()}).sample(logits);
}
std::vector<float> logits_of_shares(In shares) {
  std::vector<float> logits;
  for (const float share : shares) logits.push_back(std::log(share));
  return logits;
}
// Those of these ids; the others can never come.
std::vector<float> only(In logits, const Ids& ids) {
  std::vector<float> kept(logits.size(), -std::numeric_limits<float>::infinity());
  for (const std::int32_t id : ids) {
    const auto i = static_cast<std::size_t>(id);
    if (id >= 0 && i < kept.size()) kept[i] = logits[i];
  }
  return kept;
}

template <class Keep>
Ids ids_where(std::size_t count, Keep keep) {
  Ids ids;
  for (std::size_t i = 0; i < count; ++i) {
    if (keep(i)) ids.push_back(static_cast<std::int32_t>(i));
  }
  return ids;
}
std::vector<std::size_t> likeliest_first(In values) {  // of equals the smaller id
  std::vector<std::size_t> order(values.size());
  std::iota(order.begin(), order.end(), std::size_t{0});
  std::stable_sort(order.begin(), order.end(), [&](std::size_t a, std::size_t b) { return values[a] > values[b]; });
  return order;
}

// Some equal: they are where functions differ.
std::vector<float> random_logits(Random& random) {
  std::vector<float> logits = floats(random, whole(random, 1, 24), 4);
  if (whole(random, 0, 1) == 0) {
    for (float& logit : logits) logit = std::round(logit);
  }
  return logits;
}

}  // namespace
}  // namespace choices

// ---- m3-argmax: logits → the likeliest id ----
namespace argmax {
using namespace choices;
namespace {

std::int32_t reference(In logits) { return candidates(logits, {.temperature = 0}).front().id; }

template <class Better>
std::int32_t best(In logits, std::size_t count, Better better) {
  std::size_t found = 0;
  for (std::size_t i = 1; i < count; ++i) {
    if (better(logits[i], logits[found])) found = i;
  }
  return static_cast<std::int32_t>(found);
}
std::int32_t best_begins_at_zero(In logits) {
  const std::int32_t id = reference(logits);
  return logits[static_cast<std::size_t>(id)] > 0 ? id : 0;
}
std::int32_t last_of_equals(In logits) { return best(logits, logits.size(), std::greater_equal<float>()); }
std::int32_t last_left_out(In logits) { return best(logits, logits.size() - 1, std::greater<float>()); }
std::int32_t the_unlikeliest(In logits) { return best(logits, logits.size(), std::less<float>()); }
std::int32_t farthest_from_zero(In logits) {
  return best(logits, logits.size(), [](float a, float b) { return std::abs(a) > std::abs(b); });
}

Case hand_case(std::string title, std::vector<float> logits, std::int32_t id, std::string arithmetic) {
  return {.title = std::move(title),
          .arguments = {{"logits", std::move(logits)}},
          .expected = {{}, static_cast<double>(id)},
          .arithmetic = std::move(arithmetic)};
}

std::vector<Case> by_hand() {
  return {hand_case("four tokens", {1, 3, 2, -1}, 1, "3 is the highest: token 1"),
          hand_case("one far below", {1, -7, 3, 2}, 2, "3 is the highest: token 2. −7 is lower than all others"),
          hand_case("all below zero", {-3, -1, -2}, 1, "−1 is higher than −3 and −2: token 1"),
          hand_case("all far below zero", {-4000, -2000, -3000}, 1, "−2000 is higher than −4000 and −3000: token 1"),
          hand_case("the last one", {1, 2, 5}, 2, "5 is the highest, at the end: token 2"),
          hand_case("two equals", {0.5f, 2, 2}, 1, "2 stands at 1 and at 2: the first of them, token 1"),
          hand_case("one token", {-4}, 0, "there is no other: token 0")};
}

std::vector<Argument> random(Random& random) { return {{"logits", random_logits(random)}}; }

void place(Seams& seams, LearnerFunction f) {
  seams.choose = [f](In logits, Random&) { return call<std::int32_t>(f, logits); };
}

Exercise exercise() {
  return {.name = "m3-argmax",
          .reference = learn::reference<reference>(),
          .by_hand = by_hand,
          .random = random,
          .tolerance = 0,
          .mistakes = {{"best-begins-at-zero",
                        "the best score so far begins at 0, or at a number like it, and logits below that never win: "
                        "begin with logits[0]",
                        kGreedyPage, function<best_begins_at_zero>},
                       {"the-unlikeliest", "it is the lowest: the highest is wanted", kGreedyPage,
                        function<the_unlikeliest>},
                       {"farthest-from-zero", "the sign is ignored: −7 is less likely than 3", kGreedyPage,
                        function<farthest_from_zero>},
                       {"last-left-out", "the last token is never looked at: go on while i < logits.size()",
                        kGreedyPage, function<last_left_out>},
                       {"last-of-equals", "of equal logits the last is taken: compare with >, not with >=", kGreedyPage,
                        function<last_of_equals>}},
          .place = place};
}

}  // namespace
}  // namespace argmax

// ---- m3-temperature: logits → e^(logit / t), divided by their sum ----
namespace temperature {
using namespace choices;
namespace {

using Out = std::span<float>;

void reference(Out shares, In logits, float t) {
  std::fill(shares.begin(), shares.end(), 0.0f);
  for (const Candidate& c : candidates(logits, {.temperature = t, .top_p = 1})) {
    shares[static_cast<std::size_t>(c.id)] = static_cast<float>(c.probability);
  }
}

void powers(Out out, In logits, float t, float less) {
  for (std::size_t i = 0; i < logits.size(); ++i) out[i] = std::exp((logits[i] - less) / t);
}
void divide_by_sum(Out shares) {
  const float sum = std::accumulate(shares.begin(), shares.end(), 0.0f);
  for (float& share : shares) share /= sum;
}
float highest(In logits) { return *std::max_element(logits.begin(), logits.end()); }

void multiplied(Out shares, In logits, float t) { reference(shares, logits, 1 / t); }
void not_divided_by_t(Out shares, In logits, float) { reference(shares, logits, 1); }
void highest_not_taken_away(Out shares, In logits, float t) {
  powers(shares, logits, t, 0);
  divide_by_sum(shares);
}
void highest_from_zero(Out shares, In logits, float t) {
  powers(shares, logits, t, std::max(0.0f, highest(logits)));
  divide_by_sum(shares);
}
void not_divided_by_sum(Out shares, In logits, float t) { powers(shares, logits, t, highest(logits)); }
void divided_at_the_end(Out shares, In logits, float t) {
  reference(shares, logits, 1);
  for (float& share : shares) share /= t;
}
std::vector<Argument> arguments(std::vector<float> logits, float t) {
  const std::size_t n = logits.size();
  return {output("shares", n), {"logits", std::move(logits)}, {"t", double{t}}};
}

std::vector<Case> by_hand() {
  return {
      {.title = "three tokens, t = 0.5",
       .arguments = arguments({2, 1, 0}, 0.5f),
       .expected = {{std::vector<float>{0.866814f, 0.117310f, 0.015876f}}},
       .arithmetic = "divided by 0.5: 4, 2, 0\ne⁴ = 54.5982, e² = 7.3891, e⁰ = 1; together 62.9872\n54.5982 / "
                     "62.9872 = 0.8668; 7.3891 / 62.9872 = 0.1173; 1 / 62.9872 = 0.0159"},
      {.title = "the same, t = 1",
       .arguments = arguments({2, 1, 0}, 1),
       .expected = {{std::vector<float>{0.665241f, 0.244728f, 0.090031f}}},
       .arithmetic = "e² = 7.3891, e¹ = 2.7183, e⁰ = 1; together 11.1073\n7.3891 / 11.1073 = 0.6652; 0.2447; 0.0900"},
      {.title = "large logits and a low temperature",
       .arguments = arguments({1000, 999}, 0.5f),
       .expected = {{std::vector<float>{0.880797f, 0.119203f}}},
       .arithmetic = "the highest is 1000: take it away from both, 0 and −1\ndivided by 0.5: 0 and −2\ne⁰ = 1, e⁻² = "
                     "0.1353; together 1.1353\n1 / 1.1353 = 0.8808; 0.1353 / 1.1353 = 0.1192"},
      {.title = "logits far below zero",
       .arguments = arguments({-1000, -1001}, 0.5f),
       .expected = {{std::vector<float>{0.880797f, 0.119203f}}},
       .arithmetic = "the highest is −1000: taken away from both, 0 and −1\nthen as before: 0.8808 and 0.1192"},
      {.title = "all alike",
       .arguments = arguments({-3, -3, -3, -3}, 0.7f),
       .expected = {{std::vector<float>{0.25f, 0.25f, 0.25f, 0.25f}}},
       .arithmetic = "less the highest: four times 0; e⁰ = 1; together 4; a quarter each"}};
}

std::vector<Argument> random(Random& random) {
  return arguments(random_logits(random), 0.25f * static_cast<float>(whole(random, 1, 10)));
}

void place(Seams& seams, LearnerFunction f) {
  seams.choose = [f](In logits, Random& random) {
    std::vector<float> shares(logits.size());
    call(f, std::span(shares), logits, 0.8f);
    return drawn(logits_of_shares(shares), random);
  };
}

Exercise exercise() {
  return {.name = "m3-temperature",
          .reference = learn::reference<reference>(),
          .by_hand = by_hand,
          .random = random,
          .tolerance = 1e-5,
          .mistakes = {{"multiplied-by-temperature", "the logits are multiplied by t: divide them", kTemperaturePage,
                        function<multiplied>},
                       {"divided-after-softmax",
                        "t changes nothing: divide the logits by it, before std::exp, not what comes out",
                        kTemperaturePage, function<not_divided_by_t>},
                       {"shares-divided", "the shares are divided by t: divide the logits, before std::exp",
                        kTemperaturePage, function<divided_at_the_end>},
                       {"not-divided-by-sum", "the shares do not add up to 1: divide each by the sum of all",
                        kTemperaturePage, function<not_divided_by_sum>},
                       {"highest-not-taken-away",
                        "the powers are too large for a float: take the highest logit away from all of them first",
                        "learnings/online-softmax", function<highest_not_taken_away>},
                       {"maximum-from-zero",
                        "the search for the highest begins at 0: where all are below, all powers become 0. Begin with "
                        "logits[0]",
                        "learnings/online-softmax", function<highest_from_zero>}},
          .place = place};
}

}  // namespace
}  // namespace temperature

// ---- m3-top-k: logits → the ids of the k highest ----
namespace top_k {
using namespace choices;
namespace {

Ids reference(In logits, std::uint32_t k) {
  return ids_of(candidates(logits, {.temperature = 1, .top_k = k, .top_p = 1}));
}

bool keeps_all(In logits, std::uint32_t k) { return k == 0 || k >= logits.size(); }
float place_of(In logits, std::size_t place) { return logits[likeliest_first(logits)[place]]; }

Ids equals_dropped(In logits, std::uint32_t k) {
  const std::vector<std::size_t> order = likeliest_first(logits);
  Ids ids(order.begin(), order.begin() + static_cast<std::ptrdiff_t>(keeps_all(logits, k) ? order.size() : k));
  std::sort(ids.begin(), ids.end());
  return ids;
}
Ids last_one_lost(In logits, std::uint32_t k) {
  if (k == 0 || k > logits.size()) return reference(logits, 0);
  const float least = place_of(logits, k - 1);
  return ids_where(logits.size(), [&](std::size_t i) { return logits[i] > least; });
}
Ids one_too_many(In logits, std::uint32_t k) {
  return keeps_all(logits, k) ? reference(logits, 0) : reference(logits, k + 1);
}
Ids the_unlikeliest_kept(In logits, std::uint32_t k) {
  std::vector<float> turned(logits.begin(), logits.end());
  for (float& logit : turned) logit = -logit;
  return reference(turned, k);
}
Ids zero_keeps_none(In logits, std::uint32_t k) { return k == 0 ? Ids{} : reference(logits, k); }
Ids by_likelihood(In logits, std::uint32_t k) {
  const Ids kept = reference(logits, k);
  Ids ids;
  for (const std::size_t id : likeliest_first(logits)) {
    if (ids.size() < kept.size()) ids.push_back(static_cast<std::int32_t>(id));
  }
  return ids;
}

Case hand_case(std::string title, std::vector<float> logits, std::uint32_t k, Ids ids, std::string arithmetic) {
  return {.title = std::move(title),
          .arguments = {{"logits", std::move(logits)}, {"k", static_cast<double>(k)}},
          .expected = {{}, std::move(ids)},
          .arithmetic = std::move(arithmetic)};
}

std::vector<Case> by_hand() {
  return {hand_case("two of four", {1, 3, 2, 0}, 2, {1, 2},
                    "from the highest down: 3, 2, 1, 0\nthe second is 2\n3 and 2 "
                    "are at least 2: tokens 1 and 2"),
          hand_case("the likeliest is not the first", {2, 0, 1, 3}, 2, {0, 3},
                    "from the highest down: 3, 2, 1, 0\nthe second is 2: tokens 0 and 3, in the order of their ids"),
          hand_case("two share the last place", {2, 1, 1, 0}, 2, {0, 1, 2},
                    "from the highest down: 2, 1, 1, 0\nthe second is 1\n2, 1 and 1 are at least 1: tokens 0, 1 and 2"),
          hand_case("k = 0", {1, 3}, 0, {0, 1}, "0 means: cut nothing off"),
          hand_case("k larger than V", {1, 3}, 5, {0, 1}, "there are only two: both stay")};
}

std::vector<Argument> random(Random& random) {
  std::vector<float> logits = random_logits(random);
  const std::size_t k = whole(random, 0, logits.size() + 1);
  return {{"logits", std::move(logits)}, {"k", static_cast<double>(k)}};
}

void place(Seams& seams, LearnerFunction f) {
  seams.choose = [f](In logits, Random& random) { return drawn(only(logits, call<Ids>(f, logits, 20u)), random); };
}

Exercise exercise() {
  return {
      .name = "m3-top-k",
      .reference = learn::reference<reference>(),
      .by_hand = by_hand,
      .random = random,
      .tolerance = 0,
      .mistakes = {{"the-unlikeliest-kept", "the lowest are kept: sort with the highest first", kTailPage,
                    function<the_unlikeliest_kept>},
                   {"last-one-lost", "the k-th itself is lost: compare with >=, not with >", kTailPage,
                    function<last_one_lost>},
                   {"one-too-many", "there is one too many: the k-th highest is at place k − 1", kTailPage,
                    function<one_too_many>},
                   {"by-likelihood", "the ids are in the order of their logits: ascending ids are wanted", kTailPage,
                    function<by_likelihood>},
                   {"equals-dropped",
                    "what is as high as the last one kept stays, too, also where that makes more "
                    "than k",
                    kTailPage, function<equals_dropped>},
                   {"zero-keeps-none", "k = 0 means that nothing is cut off", kTailPage, function<zero_keeps_none>}},
      .place = place};
}

}  // namespace
}  // namespace top_k

// ---- m3-top-p: shares → the ids of the likeliest that reach p together ----
namespace top_p {
using namespace choices;
namespace {

Ids reference(In shares, float p) {
  return ids_of(candidates(logits_of_shares(shares), {.temperature = 1, .top_p = p}));
}

// Down an order; `enough` is asked with the sum before a token and the sum with it.
template <class Enough>
Ids down(In shares, float p, const std::vector<std::size_t>& order, Enough enough) {
  Ids ids;
  double sum = 0;
  for (const std::size_t id : order) {
    const double with = sum + static_cast<double>(shares[id]);
    if (p < 1 && enough(sum, with)) break;
    ids.push_back(static_cast<std::int32_t>(id));
    sum = with;
  }
  std::sort(ids.begin(), ids.end());
  return ids;
}
Ids crossing_token_dropped(In shares, float p) {
  return down(shares, p, likeliest_first(shares), [&](double, double with) { return with > static_cast<double>(p); });
}
Ids exactly_is_not_enough(In shares, float p) {
  return down(shares, p, likeliest_first(shares),
              [&](double before, double) { return before > static_cast<double>(p); });
}
Ids not_sorted(In shares, float p) {
  std::vector<std::size_t> order(shares.size());
  std::iota(order.begin(), order.end(), std::size_t{0});
  return down(shares, p, order, [&](double before, double) { return before >= static_cast<double>(p); });
}
Ids from_the_unlikeliest(In shares, float p) {
  std::vector<std::size_t> order = likeliest_first(shares);
  std::reverse(order.begin(), order.end());
  return down(shares, p, order, [&](double before, double) { return before >= static_cast<double>(p); });
}
Ids share_of_the_likeliest(In shares, float p) {
  const float least = (1 - p) * *std::max_element(shares.begin(), shares.end());
  return ids_where(shares.size(), [&](std::size_t i) { return p >= 1 || shares[i] >= least; });
}
Ids each_above_p(In shares, float p) {
  return ids_where(shares.size(), [&](std::size_t i) { return p >= 1 || shares[i] >= p; });
}
Ids by_likelihood(In shares, float p) {
  const std::vector<std::size_t> order = likeliest_first(shares);
  return {order.begin(), order.begin() + static_cast<std::ptrdiff_t>(reference(shares, p).size())};
}

Case hand_case(std::string title, std::vector<float> shares, float p, Ids ids, std::string arithmetic) {
  return {.title = std::move(title),
          .arguments = {{"shares", std::move(shares)}, {"p", double{p}}},
          .expected = {{}, std::move(ids)},
          .arithmetic = std::move(arithmetic)};
}

std::vector<Case> by_hand() {
  return {
      hand_case("three tokens, p = 0.7", {0.05f, 0.67f, 0.28f}, 0.7f, {1, 2},
                "the likeliest: token 1, 0.67 < 0.7\nthe next: token 2, 0.67 + 0.28 = 0.95, enough\n1 and 2 stay"),
      hand_case("one is enough", {0.99f, 0.01f}, 0.9f, {0}, "token 0: 0.99, enough, and it stays itself"),
      hand_case("the likeliest has the largest id", {0.25f, 0.25f, 0.5f}, 0.6f, {0, 2},
                "token 2: 0.5 < 0.6\n0 and 1 are equal: the smaller id first, 0.5 + 0.25 = 0.75, enough\nascending: 0 "
                "and 2"),
      hand_case("exactly p", {0.5f, 0.25f, 0.125f, 0.125f}, 0.75f, {0, 1}, "0.5 < 0.75\n0.5 + 0.25 = 0.75: reached"),
      hand_case("p = 1", {0.75f, 0.25f}, 1, {0, 1}, "1 means: cut nothing off")};
}

std::vector<Argument> random(Random& random) {
  const std::vector<float> logits = random_logits(random);
  std::vector<float> shares(logits.size());
  temperature::reference(shares, logits, 1);
  const float p = whole(random, 0, 7) == 0 ? 1 : 0.05f + 0.9f * static_cast<float>(random.uniform());
  return {{"shares", std::move(shares)}, {"p", double{p}}};
}

void place(Seams& seams, LearnerFunction f) {
  seams.choose = [f](In logits, Random& random) {
    std::vector<float> shares(logits.size());
    temperature::reference(shares, logits, 1);
    return drawn(only(logits, call<Ids>(f, shares, 0.9f)), random);
  };
}

Exercise exercise() {
  return {.name = "m3-top-p",
          .reference = learn::reference<reference>(),
          .by_hand = by_hand,
          .random = random,
          .tolerance = 0,
          .mistakes = {{"crossing-token-dropped",
                        "the token that crosses p is dropped: it stays. Ask whether p was reached before it", kTailPage,
                        function<crossing_token_dropped>},
                       {"not-sorted", "the tokens are taken by their id: begin with the likeliest", kTailPage,
                        function<not_sorted>},
                       {"from-the-unlikeliest", "it begins with the unlikeliest: sort with the highest share first",
                        kTailPage, function<from_the_unlikeliest>},
                       {"each-above-p", "each share is compared with p by itself: it is their sum that has to reach p",
                        kTailPage, function<each_above_p>},
                       {"by-likelihood", "the ids are in the order of their shares: ascending ids are wanted",
                        kTailPage, function<by_likelihood>},
                       {"exactly-is-not-enough", "p is reached when the sum is p exactly: compare with >=, not with >",
                        kTailPage, function<exactly_is_not_enough>},
                       {"share-of-the-likeliest",
                        "each share is compared with that of the likeliest: that is min-p; top-p adds up", kTailPage,
                        function<share_of_the_likeliest>}},
          .place = place};
}

}  // namespace
}  // namespace top_p

std::vector<Exercise> m3_exercises() {
  return {argmax::exercise(), temperature::exercise(), top_k::exercise(), top_p::exercise(), stop_strings::exercise()};
}

}  // namespace rung::learn
