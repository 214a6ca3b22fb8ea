// The exercises of milestone M4: what must come out, the classic mistakes, the place in the engine. As in m2.cpp each
// has a namespace.
#include <algorithm>
#include <map>
#include <memory>
#include <utility>

#include "learn/exercise.h"
#include "learn/in_parts.h"
#include "learn/seams.h"

namespace rung::learn {

namespace {

// A layer of a sequence's cache as a learner sees it, a row a position, all heads side by side: what they change goes
// back into the cache.
class FlatLayer {
 public:
  // The first `there` of `room` rows are the cache's, the others are zeros.
  FlatLayer(KvCache& cache, std::size_t layer, std::size_t there, std::size_t room)
      : cache_(cache), layer_(layer), there_(there), keys_(read(keys_of, room)), values_(read(values_of, room)) {
    before_ = {keys_, values_};
  }

  std::size_t width() const { return cache_.shape().kv_heads * cache_.shape().head_dim; }
  std::span<float> keys() { return keys_; }
  std::span<float> values() { return values_; }
  void write_back() {
    const std::size_t room = keys_.size() / width();
    cache_.reserve(room);
    const auto same = [&](const std::vector<float>& now, const std::vector<float>& before, std::size_t row) {
      const auto begin = static_cast<std::ptrdiff_t>(row * width()), end = begin + static_cast<std::ptrdiff_t>(width());
      return std::equal(now.begin() + begin, now.begin() + end, before.begin() + begin);
    };
    for (std::size_t row = 0; row < room; ++row) {
      if (row < there_ && same(keys_, before_.first, row) && same(values_, before_.second, row)) continue;
      const std::array<std::size_t, 2> shape{cache_.shape().kv_heads, cache_.shape().head_dim};
      cache_.store(layer_, row, {&keys_[row * width()], shape}, {&values_[row * width()], shape});
    }
  }

 private:
  template <class Read>
  std::vector<float> read(const Read& of_head, std::size_t room) const {
    const std::size_t head_dim = cache_.shape().head_dim;
    std::vector<float> all(room * width());
    for (std::size_t h = 0; h < cache_.shape().kv_heads; ++h) {
      const std::vector<float> rows = of_head(cache_, layer_, h, there_);
      for (std::size_t j = 0; j < there_; ++j) {
        std::copy_n(&rows[j * head_dim], head_dim, &all[j * width() + h * head_dim]);
      }
    }
    return all;
  }

  KvCache& cache_;
  std::size_t layer_, there_;
  std::vector<float> keys_, values_;
  std::pair<std::vector<float>, std::vector<float>> before_;
};

}  // namespace

// ---- m4-append: row `position` becomes k, and v ----
namespace append {
namespace {

using In = std::span<const float>;
using Out = std::span<float>;

constexpr const char* kPage = "m4-kv-cache#what-never-changes";

void put(Out rows, In row, std::size_t at) {
  for (std::size_t i = 0; i < row.size() && at + i < rows.size(); ++i) rows[at + i] = row[i];
}
void reference(Out keys, Out values, In k, In v, std::size_t position) {
  put(keys, k, position * k.size());
  put(values, v, position * v.size());
}
void late(Out keys, Out values, In k, In v, std::size_t position) { reference(keys, values, k, v, position + 1); }
void without_width(Out keys, Out values, In k, In v, std::size_t position) {
  put(keys, k, position);
  put(values, v, position);
}
void first_row(Out keys, Out values, In k, In v, std::size_t) { reference(keys, values, k, v, 0); }
void keys_twice(Out keys, Out values, In k, In, std::size_t position) { reference(keys, values, k, k, position); }
void swapped(Out keys, Out values, In k, In v, std::size_t position) { reference(keys, values, v, k, position); }

std::vector<Argument> arguments(std::vector<float> keys, std::vector<float> values, std::vector<float> k,
                                std::vector<float> v, std::size_t position) {
  const std::size_t width = k.size(), room = keys.size() / width;
  return {{"keys", std::move(keys), {room, width}, true},
          {"values", std::move(values), {room, width}, true},
          {"k", std::move(k)},
          {"v", std::move(v)},
          {"position", static_cast<double>(position)}};
}

std::vector<Case> by_hand() {
  return {{.title = "the second token of a text",
           .arguments = arguments({1, 2, 0, 0, 0, 0}, {3, 4, 0, 0, 0, 0}, {7, 8}, {9, 6}, 1),
           .expected = {{std::vector<float>{1, 2, 7, 8, 0, 0}, std::vector<float>{3, 4, 9, 6, 0, 0}}},
           .arithmetic = "row 1 begins at 1 · 2 = 2: keys[2] = 7, keys[3] = 8, values[2] = 9, values[3] = 6\n"
                         "all others stay"},
          {.title = "the first token",
           .arguments = arguments({0, 0, 0, 0, 0, 0}, {0, 0, 0, 0, 0, 0}, {1, 2, 3}, {4, 5, 6}, 0),
           .expected = {{std::vector<float>{1, 2, 3, 0, 0, 0}, std::vector<float>{4, 5, 6, 0, 0, 0}}},
           .arithmetic = "row 0 begins at 0 · 3 = 0"}};
}

std::vector<Argument> random(Random& random) {
  const std::size_t width = whole(random, 1, 16), room = whole(random, 3, 9), position = whole(random, 0, room - 2);
  std::vector<float> keys = floats(random, room * width), values = floats(random, room * width);
  std::vector<float> k = floats(random, width);
  return arguments(std::move(keys), std::move(values), std::move(k), floats(random, width), position);
}

void place(Seams& seams, LearnerFunction f) {
  seams.verbs.store_kv = [f, before = seams.verbs.store_kv](Ops& inner, const BatchRows& rows, std::size_t layer,
                                                            Tensor<const float, Tokens, KvHeads, HeadDim> k,
                                                            Tensor<const float, Tokens, KvHeads, HeadDim> v) {
    if (before) before(inner, rows, layer, k, v);
    for (const Run& run : runs_of(rows)) {
      FlatLayer flat(*run.cache, layer, run.first, run.first + run.count + 1);  // a row more: it shows who is late
      for (std::size_t t = run.begin; t < run.begin + run.count; ++t) {
        call(f, flat.keys(), flat.values(), In(k[t].data(), flat.width()), In(v[t].data(), flat.width()),
             rows.positions[t]);
      }
      flat.write_back();
    }
  };
}

}  // namespace

Exercise exercise() {
  return {.name = "m4-append",
          .reference = learn::reference<reference>(),
          .by_hand = by_hand,
          .random = random,
          .tolerance = 0,
          .mistakes = {{"cache-position", "kept one position too late: the first position is 0, and its row is row 0",
                        kPage, function<late>},
                       {"row-width-forgotten", "a row begins at position * width, not at position", kPage,
                        function<without_width>},
                       {"always-the-first-row", "every token is put into row 0: its row is `position`", kPage,
                        function<first_row>},
                       {"keys-for-values", "k was put into values: v belongs there", kPage, function<keys_twice>},
                       {"keys-values-swapped", "k was put into values and v into keys", kPage, function<swapped>}},
          .place = place};
}

}  // namespace append

// ---- m4-rewind: rows from `length` on are forgotten ----
namespace go_back {
namespace {

using Out = std::span<float>;

constexpr const char* kPage = "m4-kv-cache#classic-mistakes";

void wipe(Out rows, std::size_t begin, std::size_t end) {
  for (std::size_t i = begin; i < std::min(end, rows.size()); ++i) rows[i] = 0;
}
std::size_t reference(Out keys, Out values, std::size_t width, std::size_t used, std::size_t length) {
  wipe(keys, length * width, used * width);
  wipe(values, length * width, used * width);
  return std::min(used, length);
}
std::size_t one_more(Out keys, Out values, std::size_t width, std::size_t used, std::size_t length) {
  return length >= used ? used : reference(keys, values, width, used, length + 1);
}
std::size_t one_less(Out keys, Out values, std::size_t width, std::size_t used, std::size_t length) {
  return length >= used ? used : reference(keys, values, width, used, std::max<std::size_t>(length, 1) - 1);
}
std::size_t grows(Out keys, Out values, std::size_t width, std::size_t used, std::size_t length) {
  reference(keys, values, width, used, length);
  return length;
}
std::size_t without_width(Out keys, Out values, std::size_t width, std::size_t used, std::size_t length) {
  if (length >= used) return used;
  wipe(keys, length, used * width);
  wipe(values, length, used * width);
  return length;
}
std::size_t keys_alone(Out keys, Out, std::size_t width, std::size_t used, std::size_t length) {
  wipe(keys, length * width, used * width);
  return std::min(used, length);
}
std::size_t count_alone(Out, Out, std::size_t, std::size_t used, std::size_t length) { return std::min(used, length); }

std::vector<Argument> arguments(std::vector<float> keys, std::vector<float> values, std::size_t width, std::size_t used,
                                std::size_t length) {
  const std::size_t room = keys.size() / width;
  return {{"keys", std::move(keys), {room, width}, true},
          {"values", std::move(values), {room, width}, true},
          {"width", static_cast<double>(width)},
          {"used", static_cast<double>(used)},
          {"length", static_cast<double>(length)}};
}

std::vector<Case> by_hand() {
  return {
      {.title = "three tokens, back to one",
       .arguments = arguments({1, 2, 3, 4, 5, 6}, {6, 5, 4, 3, 2, 1}, 2, 3, 1),
       .expected = {.outputs = {std::vector<float>{1, 2, 0, 0, 0, 0}, std::vector<float>{6, 5, 0, 0, 0, 0}},
                    .result = 1.0},
       .arithmetic = "row 0 stays; rows 1 and 2 go: places 1 · 2 = 2 to 3 · 2 − 1 = 5\none row is kept"},
      {.title = "back to more than there is",
       .arguments = arguments({1, 2, 3, 4, 0, 0, 0, 0}, {5, 6, 7, 8, 0, 0, 0, 0}, 2, 2, 3),
       .expected = {.outputs = {std::vector<float>{1, 2, 3, 4, 0, 0, 0, 0}, std::vector<float>{5, 6, 7, 8, 0, 0, 0, 0}},
                    .result = 2.0},
       .arithmetic = "two rows are kept, there is no third to forget\ntwo rows are kept"}};
}

std::vector<Argument> random(Random& random) {
  const std::size_t width = whole(random, 1, 8), used = whole(random, 1, 8);
  std::vector<float> keys = floats(random, used * width);
  std::vector<float> values = floats(random, used * width);
  keys.resize((used + 2) * width);
  values.resize((used + 2) * width);
  return arguments(std::move(keys), std::move(values), width, used, whole(random, 0, used + 2));
}

// Three wrong guesses are kept behind each new token, then taken back before anybody looks. How many rows the learner
// says are kept is how many the token sees.
void place(Seams& seams, LearnerFunction f) {
  constexpr std::size_t kGuesses = 3;
  using Layer = std::pair<const KvCache*, std::size_t>;
  const auto kept_beyond = std::make_shared<std::map<Layer, std::ptrdiff_t>>();  // the token itself; right is 0
  seams.verbs.store_kv = [f, kept_beyond, before = seams.verbs.store_kv](
                             Ops& inner, const BatchRows& rows, std::size_t layer,
                             Tensor<const float, Tokens, KvHeads, HeadDim> k,
                             Tensor<const float, Tokens, KvHeads, HeadDim> v) {
    before ? before(inner, rows, layer, k, v) : inner.do_store_kv(rows, layer, k, v);
    for (const Run& run : runs_of(rows)) {
      const std::size_t used = run.first + run.count;
      FlatLayer flat(*run.cache, layer, used, used + kGuesses);
      for (std::size_t i = used * flat.width(); i < flat.keys().size(); ++i) {
        flat.keys()[i] = -2 * flat.keys()[i - flat.width()];  // something else than what will come
        flat.values()[i] = -2 * flat.values()[i - flat.width()];
      }
      const auto kept = call<std::size_t>(f, flat.keys(), flat.values(), flat.width(), used + kGuesses, used);
      flat.write_back();
      (*kept_beyond)[{run.cache, layer}] =
          static_cast<std::ptrdiff_t>(std::min(kept, used + kGuesses)) - static_cast<std::ptrdiff_t>(used);
    }
  };
  place_part(seams, [](AttentionParts&) {});  // so that there is one
  seams.verbs.attention = [kept_beyond, before = seams.verbs.attention](
                              Tensor<float, Tokens, Heads, HeadDim> out, Tensor<const float, Tokens, Heads, HeadDim> q,
                              const BatchRows& rows, std::size_t layer, const AttentionSettings& settings) {
    std::vector<std::uint32_t> positions;  // from which each token looks back
    for (std::size_t t = 0; t < rows.size(); ++t) {
      const std::ptrdiff_t from =
          static_cast<std::ptrdiff_t>(rows.positions[t]) + (*kept_beyond)[{rows.caches[t], layer}];
      positions.push_back(static_cast<std::uint32_t>(std::max<std::ptrdiff_t>(from, 0)));
    }
    before(out, q, {positions, rows.caches}, layer, settings);
  };
}

}  // namespace

Exercise exercise() {
  return {
      .name = "m4-rewind",
      .reference = learn::reference<reference>(),
      .by_hand = by_hand,
      .random = random,
      .tolerance = 0,
      .mistakes = {{"keeps-one-too-many", "one row too many is kept: the first that goes is row `length`", kPage,
                    function<one_more>},
                   {"keeps-one-too-few", "one row too few is kept: the last that stays is row `length` − 1", kPage,
                    function<one_less>},
                   {"row-width-forgotten", "row `length` begins at length * width, not at length", kPage,
                    function<without_width>},
                   {"values-left-behind", "the keys are wiped, the values are still there", kPage,
                    function<keys_alone>},
                   {"rows-left-behind", "the count is right, but the rows are still there: they become zeros", kPage,
                    function<count_alone>},
                   {"grows-by-going-back", "where `length` is more than `used`, nothing is forgotten and `used` stays",
                    kPage, function<grows>}},
      .place = place};
}

}  // namespace go_back

// ---- m4-prefix-reuse: the longest common beginning, but never all that is wanted ----
namespace prefix_reuse {
namespace {

using Ids = std::span<const std::int32_t>;

constexpr const char* kPage = "m4-kv-cache#prefix-reuse";

std::size_t common(Ids kept, Ids wanted) {
  const auto differ = std::mismatch(kept.begin(), kept.end(), wanted.begin(), wanted.end());
  return static_cast<std::size_t>(differ.first - kept.begin());
}
std::size_t reference(Ids kept, Ids wanted) { return std::min(common(kept, wanted), wanted.size() - 1); }
std::size_t anywhere(Ids kept, Ids wanted) {
  std::size_t equal = 0;
  for (std::size_t i = 0; i < std::min(kept.size(), wanted.size()); ++i) equal += kept[i] == wanted[i] ? 1 : 0;
  return std::min(equal, wanted.size() - 1);
}
std::size_t all(Ids kept, Ids wanted) { return common(kept, wanted); }
std::size_t one_less(Ids kept, Ids wanted) { return std::max<std::size_t>(common(kept, wanted), 1) - 1; }
std::size_t nothing(Ids, Ids) { return 0; }

std::vector<Argument> arguments(std::vector<std::int32_t> kept, std::vector<std::int32_t> wanted) {
  return {{"kept", std::move(kept)}, {"wanted", std::move(wanted)}};
}

std::vector<Case> by_hand() {
  return {{.title = "a difference in the middle",
           .arguments = arguments({5, 7, 9, 4}, {5, 7, 8, 4}),
           .expected = {.result = 2.0},
           .arithmetic = "5 = 5, 7 = 7, 9 ≠ 8: two may stay\nthe last 4 has looked back at 9: it may not"},
          {.title = "the same prompt again",
           .arguments = arguments({5, 7}, {5, 7}),
           .expected = {.result = 1.0},
           .arithmetic = "both are the same, but somebody wants to know what comes next\nthe last is computed anew: 1"},
          {.title = "the conversation has grown",
           .arguments = arguments({5, 7, 9}, {5, 7, 9, 1, 2}),
           .expected = {.result = 3.0},
           .arithmetic = "5, 7, 9 are all there; 1 and 2 are to be computed"},
          {.title = "nothing is kept yet",
           .arguments = arguments({}, {5, 7}),
           .expected = {.result = 0.0},
           .arithmetic = "there is nothing to compare"},
          {.title = "the prompt is the beginning of what is kept",
           .arguments = arguments({5, 7, 9, 4}, {5, 7}),
           .expected = {.result = 1.0},
           .arithmetic = "5 and 7 are there; the last, 7, is computed anew: 1"}};
}

std::vector<Argument> random(Random& random) {
  std::vector<std::int32_t> kept(whole(random, 0, 12)), wanted(whole(random, 1, 12));
  for (std::int32_t& id : kept) id = static_cast<std::int32_t>(whole(random, 1, 3));
  for (std::int32_t& id : wanted) id = static_cast<std::int32_t>(whole(random, 1, 3));
  const std::size_t same = std::min({whole(random, 0, 12), kept.size(), wanted.size()});
  std::copy_n(kept.begin(), same, wanted.begin());
  return arguments(std::move(kept), std::move(wanted));
}

void place(Seams& seams, LearnerFunction f) {
  seams.reuse = [f](std::span<const TokenId> have, std::span<const TokenId> wanted) {
    return call<std::size_t>(f, have, wanted);
  };
}

}  // namespace

Exercise exercise() {
  return {
      .name = "m4-prefix-reuse",
      .reference = learn::reference<reference>(),
      .by_hand = by_hand,
      .random = random,
      .tolerance = 0,
      .mistakes = {{"counts-beyond-a-difference",
                    "equal tokens after a difference were counted: what follows it has looked back at another text",
                    kPage, function<anywhere>},
                   {"nothing-left-to-compute",
                    "the whole prompt is reused: the last token has to go through, its logits are not kept", kPage,
                    function<all>},
                   {"always-one-less",
                    "one less even where tokens are left to compute: only the prompt's last one is "
                    "computed anew",
                    kPage, function<one_less>},
                   {"nothing-reused", "nothing is reused: count how long both begin alike", kPage, function<nothing>}},
      .place = place};
}

}  // namespace prefix_reuse

// ---- m4-sliding-window: max(0, position − window + 1) ----
namespace sliding_window {
namespace {

constexpr const char* kPage = "m4-kv-cache#windows";
constexpr std::size_t kPebblesWindow = 16;

std::size_t reference(std::size_t position, std::size_t window) {
  return window != 0 && position + 1 > window ? position + 1 - window : 0;
}
std::size_t without_itself(std::size_t position, std::size_t window) {
  return window != 0 && position > window ? position - window : 0;
}
std::size_t below_zero(std::size_t position, std::size_t window) { return window == 0 ? 0 : position + 1 - window; }
std::size_t no_window(std::size_t position, std::size_t window) {
  return position + 1 > window ? position + 1 - window : 0;
}
std::size_t one_less(std::size_t position, std::size_t window) {
  return window != 0 && position + 2 > window ? position + 2 - window : 0;
}
std::size_t all(std::size_t, std::size_t) { return 0; }

std::vector<Argument> arguments(std::size_t position, std::size_t window) {
  return {{"position", static_cast<double>(position)}, {"window", static_cast<double>(window)}};
}

std::vector<Case> by_hand() {
  return {{.title = "a window of 512",
           .arguments = arguments(600, 512),
           .expected = {.result = 89.0},
           .arithmetic = "601 tokens up to here, itself included; 601 − 512 = 89 are out of sight: 0 to 88"},
          {.title = "no window",
           .arguments = arguments(600, 0),
           .expected = {.result = 0.0},
           .arithmetic = "0 means that all is seen, from 0 on"},
          {.title = "near the beginning",
           .arguments = arguments(1, 3),
           .expected = {.result = 0.0},
           .arithmetic = "2 tokens up to here, the window holds 3: all are seen"},
          {.title = "just full",
           .arguments = arguments(2, 3),
           .expected = {.result = 0.0},
           .arithmetic = "3 tokens up to here, the window holds 3: all are seen"}};
}

std::vector<Argument> random(Random& random) {
  return arguments(whole(random, 0, 40), whole(random, 0, 3) == 0 ? 0 : whole(random, 1, 40));
}

// pebble sees all; here it gets a window that it was not trained for.
void place(Seams& seams, LearnerFunction f) {
  const AttentionParts parts{
      .first_seen = [f](std::size_t position, std::size_t window) { return call<std::size_t>(f, position, window); }};
  seams.verbs.attention = [parts](Tensor<float, Tokens, Heads, HeadDim> out,
                                  Tensor<const float, Tokens, Heads, HeadDim> q, const BatchRows& rows,
                                  std::size_t layer, const AttentionSettings& settings) {
    const std::size_t window = settings.window_tokens == 0 ? kPebblesWindow : settings.window_tokens;
    attend_in_parts(parts, out, q, rows, layer, {.scale = settings.scale, .window_tokens = window});
  };
}

}  // namespace

Exercise exercise() {
  return {.name = "m4-sliding-window",
          .reference = learn::reference<reference>(),
          .by_hand = by_hand,
          .random = random,
          .tolerance = 0,
          .mistakes = {{"window-without-itself", "one token too many: the window counts the token itself", kPage,
                        function<without_itself>},
                       {"window-one-less", "one token too few is seen", kPage, function<one_less>},
                       {"no-window-sees-nothing", "a window of 0 means that there is none: all is seen", kPage,
                        function<no_window>},
                       {"below-zero", "position + 1 − window fell below 0 and became huge: compare first", kPage,
                        function<below_zero>},
                       {"window-forgotten", "everything is seen: the window is not used", kPage, function<all>}},
          .place = place,
          .changes_pebble = true};
}

}  // namespace sliding_window

std::vector<Exercise> m4_exercises() {
  return {append::exercise(), go_back::exercise(), prefix_reuse::exercise(), sliding_window::exercise()};
}

}  // namespace rung::learn
