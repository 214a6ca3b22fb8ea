// M2's last exercise: a whole block. The engine runs its layer verb by verb as ever and writes down what goes in; at
// the layer's last verb the learner's block gets the same, and what it makes of x is what goes on.
#include <algorithm>
#include <cmath>
#include <limits>
#include <memory>
#include <utility>

#include "kernels/scalar/scalar.h"
#include "learn/in_parts.h"
#include "learn/m2.h"
#include "learn/seams.h"

namespace rung::learn::block {

namespace {

constexpr const char* kPage = "m2-forward-pass#a-block-a-screen";
constexpr float kEpsilon = 1e-6f;  // pebble's, which the stub has

struct Weights {
  In attention_norm, wq, wk, wv, q_norm, k_norm, wo, mlp_norm, w_gate, w_up, w_down, frequencies;
};

// What can be wrong about how the parts are put together.
enum class Wrong {
  nothing,
  first_not_added,
  second_not_added,
  added_to_normed,
  wo_by_hidden,
  mlp_norm,
  old_norm,
  attention_norm_twice,
  no_mlp,
  gate_and_up_swapped,
  values_turned,
  queries_from_zero,
  keys_from_zero,
  queries_not_turned,
  keys_not_turned,
  nothing_turned,
  turned_before_norm,
  no_head_norms,
  no_query_norm,
  no_key_norm,
  key_norm_for_queries,
  query_norm_for_keys
};

std::vector<float> normed(In x, In weight) {
  std::vector<float> out(x.size());
  for (std::size_t i = 0; i < x.size(); i += weight.size()) {
    scalar::kernels.rms_norm(&out[i], &x[i], weight.data(), weight.size(), kEpsilon);
  }
  return out;
}
std::vector<float> product(In x, In w, std::size_t inputs) {
  const std::size_t tokens = x.size() / inputs, outputs = w.size() / inputs;
  std::vector<float> out(tokens * outputs);
  linear::reference(out, x, w, tokens, inputs, outputs);
  return out;
}
void turn(Out heads, std::size_t tokens, std::size_t first, In frequencies) {
  const std::size_t d = 2 * frequencies.size(), width = heads.size() / tokens;
  for (std::size_t i = 0; i < heads.size(); i += d) {
    rope::reference(heads.subspan(i, d), first + i / width, frequencies);
  }
}
std::vector<float> attention(In q, In keys, In values, std::size_t tokens, std::size_t first, std::size_t d) {
  const std::size_t heads = q.size() / tokens / d, kv_heads = keys.size() / (first + tokens) / d;
  std::vector<float> out(q.size());
  for (std::size_t i = 0; i < heads * tokens; ++i) {
    const std::size_t t = i / heads, kv_head = gqa::reference(i % heads, heads, kv_heads);
    std::vector<float> k, v;  // of this head, what t sees
    for (std::size_t j = 0; j <= first + t; ++j) {
      const std::size_t at = (j * kv_heads + kv_head) * d;
      k.insert(k.end(), &keys[at], &keys[at] + d);
      v.insert(v.end(), &values[at], &values[at] + d);
    }
    one_head::reference(Out(out).subspan(i * d, d), q.subspan(i * d, d), k, v, 1 / std::sqrt(static_cast<float>(d)));
  }
  return out;
}
void add(Out x, In y) { scalar::kernels.add(x.data(), y.data(), x.size()); }

// What the queries and keys go through between their linear layer and the dot product: norm, then turn.
void norm_and_turn(std::vector<float>& q, std::vector<float>& k, std::size_t tokens, std::size_t first,
                   const Weights& w, Wrong wrong) {
  const auto is = [&](auto... any) { return ((wrong == any) || ...); };
  const auto norm = [&] {
    if (!is(Wrong::no_head_norms, Wrong::no_query_norm)) {
      q = normed(q, is(Wrong::key_norm_for_queries) ? w.k_norm : w.q_norm);
    }
    if (!is(Wrong::no_head_norms, Wrong::no_key_norm)) {
      k = normed(k, is(Wrong::query_norm_for_keys) ? w.q_norm : w.k_norm);
    }
  };
  if (!is(Wrong::turned_before_norm)) norm();
  if (!is(Wrong::nothing_turned, Wrong::queries_not_turned)) {
    turn(q, tokens, is(Wrong::queries_from_zero) ? 0 : first, w.frequencies);
  }
  if (!is(Wrong::nothing_turned, Wrong::keys_not_turned)) {
    turn(k, tokens, is(Wrong::keys_from_zero) ? 0 : first, w.frequencies);
  }
  if (is(Wrong::turned_before_norm)) norm();
}

void mlp(Out x, In attention_normed, const Weights& w, Wrong wrong) {
  if (wrong == Wrong::no_mlp) return;
  const std::size_t hidden = w.mlp_norm.size();
  std::vector<float> n = normed(x, wrong == Wrong::attention_norm_twice ? w.attention_norm : w.mlp_norm);
  if (wrong == Wrong::mlp_norm) n.assign(x.begin(), x.end());
  if (wrong == Wrong::old_norm) n.assign(attention_normed.begin(), attention_normed.end());
  std::vector<float> gate = product(n, w.w_gate, hidden), up = product(n, w.w_up, hidden);
  if (wrong == Wrong::gate_and_up_swapped) gate.swap(up);
  swiglu::reference(gate, gate, up);
  if (wrong == Wrong::second_not_added) std::fill(x.begin(), x.end(), 0.0f);
  add(x, product(gate, w.w_down, gate.size() / (x.size() / hidden)));
}

void run(Out x, Out keys, Out values, std::size_t first, const Weights& w, Wrong wrong) {
  const std::size_t hidden = w.attention_norm.size(), d = w.q_norm.size(), tokens = x.size() / hidden;
  const std::vector<float> n = normed(x, w.attention_norm);
  std::vector<float> q = product(n, w.wq, hidden), k = product(n, w.wk, hidden), v = product(n, w.wv, hidden);
  norm_and_turn(q, k, tokens, first, w, wrong);
  if (wrong == Wrong::values_turned) turn(v, tokens, first, w.frequencies);
  const std::size_t width = k.size() / tokens;
  std::copy(k.begin(), k.end(), &keys[first * width]);
  std::copy(v.begin(), v.end(), &values[first * width]);
  if (wrong == Wrong::first_not_added) std::fill(x.begin(), x.end(), 0.0f);
  if (wrong == Wrong::added_to_normed) std::copy(n.begin(), n.end(), x.begin());
  const std::size_t rows_of_wo = wrong == Wrong::wo_by_hidden ? hidden : q.size() / tokens;
  std::vector<float> attended = product(attention(q, keys, values, tokens, first, d), w.wo, rows_of_wo);
  attended.resize(x.size());  // by_hidden gives another number of rows
  add(x, attended);
  mlp(x, n, w, wrong);
}

template <Wrong wrong>
void with(Out x, Out keys, Out values, std::size_t first, In attention_norm, In wq, In wk, In wv, In q_norm, In k_norm,
          In wo, In mlp_norm, In w_gate, In w_up, In w_down, In frequencies) {
  run(x, keys, values, first,
      {attention_norm, wq, wk, wv, q_norm, k_norm, wo, mlp_norm, w_gate, w_up, w_down, frequencies}, wrong);
}

// Of a layer: hidden, heads, kv_heads, d, intermediate.
struct Shape {
  std::size_t hidden, heads, kv_heads, d, intermediate;
};

std::vector<Argument> arguments(const Shape& s, std::vector<float> x, std::vector<float> keys,
                                std::vector<float> values, std::size_t first, const std::vector<float> (&w)[12]) {
  const std::size_t tokens = x.size() / s.hidden, q = s.heads * s.d, kv = s.kv_heads * s.d;
  keys.resize((first + tokens) * kv, std::numeric_limits<float>::quiet_NaN());  // the learner's to fill
  values.resize((first + tokens) * kv, std::numeric_limits<float>::quiet_NaN());
  return {{"x", std::move(x), {tokens, s.hidden}, true},
          {"keys", std::move(keys), {first + tokens, kv}, true},
          {"values", std::move(values), {first + tokens, kv}, true},
          {"first", static_cast<double>(first)},
          {"attention_norm", w[0]},
          {"wq", w[1], {q, s.hidden}},
          {"wk", w[2], {kv, s.hidden}},
          {"wv", w[3], {kv, s.hidden}},
          {"q_norm", w[4]},
          {"k_norm", w[5]},
          {"wo", w[6], {s.hidden, q}},
          {"mlp_norm", w[7]},
          {"w_gate", w[8], {s.intermediate, s.hidden}},
          {"w_up", w[9], {s.intermediate, s.hidden}},
          {"w_down", w[10], {s.hidden, s.intermediate}},
          {"frequencies", w[11]}};
}

constexpr float kQuarter = 1.5707964f;  // of a turn
constexpr Shape kTwo{.hidden = 2, .heads = 1, .kv_heads = 1, .d = 2, .intermediate = 2};
const std::vector<float> kOnes{1, 1}, kZeros{0, 0, 0, 0}, kSame{1, 0, 0, 1}, kCrossed{0, 1, 1, 0};

// The numbers are chosen so that no two mistakes give the same: x grows between the halves, the norms' weights differ,
// and two tokens stand behind one that was there, so that turning from 0 is not the same as not turning.
std::vector<Case> with_tokens_before() {
  return {
      {.title = "one token was there before: x stands at positions 1 and 2",
       .arguments = arguments(
           kTwo, {1, 1, 1, 1}, {1, 1}, {6, 0}, 1,
           {kOnes, kZeros, kSame, {0, 0, 0, 6}, kOnes, kOnes, kSame, kOnes, kZeros, kSame, kSame, {kQuarter}}),
       .expected = {{std::vector<float>{4, 4, 3, 5}, std::vector<float>{1, 1, -1, 1, -1, -1},
                     std::vector<float>{6, 0, 0, 6, 0, 6}}},
       .arithmetic = "norm: [1, 1] twice; wk leaves it; turned by 1 · 1.5708, a quarter: [−1, 1]; by 2 · 1.5708: "
                     "[−1, −1]\n"
                     "the queries are [0, 0]: all scores are 0; the first sees two tokens, 1/2 each, the second three\n"
                     "values: [6, 0], [0, 6], [0, 6], so [3, 3] and [2, 4]; wo leaves them\n"
                     "add: [4, 4] and [3, 5]; the gate is 0"},
      {.title = "queries that are not zero, norms with weights",
       .arguments =
           arguments(kTwo, {1, 1, 1, 1}, {0.5f, 1}, {4, 0}, 1,
                     {kOnes, kSame, kSame, kZeros, {2, 1}, {1, 0.5f}, kSame, kOnes, kZeros, kSame, kSame, {kQuarter}}),
       .expected = {{std::vector<float>{2.320954f, 1, 1.136950f, 1}, std::vector<float>{0.5f, 1, -0.5f, 1, -1, -0.5f},
                     std::vector<float>{4, 0, 0, 0, 0, 0}}},
       .arithmetic = "norm: [1, 1] twice; q_norm makes [2, 1] of it, k_norm [1, 0.5]\n"
                     "turned by a quarter: q [−1, 2], k [−0.5, 1]; by two: q [−2, −1], k [−1, −0.5]\n"
                     "the first: scores 1.5, 2.5; / √2 and e to it: 2.888, 5.858; the share of [4, 0] is 0.330238\n"
                     "the second: scores −2, 0, 2.5; / √2 and e to it: 0.243, 1, 5.858; the share is 0.034238\n"
                     "add: [1 + 4 · 0.330238, 1] and [1 + 4 · 0.034238, 1]; the gate is 0"}};
}

std::vector<Case> by_hand() {
  const Shape wide{.hidden = 2, .heads = 2, .kv_heads = 1, .d = 2, .intermediate = 3};
  const std::vector<float> six(6), eight(8), ends{1, 0, 0, 0, 0, 0, 0, 1};
  std::vector<Case> cases{
      {.title = "the first half: one token, a shut gate",
       .arguments = arguments(kTwo, {3, 4}, {}, {}, 0,
                              {kOnes, kZeros, kZeros, kSame, kOnes, kOnes, kSame, kOnes, kZeros, kSame, kSame, {1}}),
       .expected = {{std::vector<float>{3.848528f, 5.131371f}, std::vector<float>{0, 0},
                     std::vector<float>{0.848528f, 1.131371f}}},
       .arithmetic = "norm: [3, 4] / 3.535534 = [0.848528, 1.131371]; wk makes zeros of it, wv leaves it\n"
                     "attention: one token, its share is 1: [0.848528, 1.131371]; wo leaves it\n"
                     "add: [3.848528, 5.131371]\nthe gate is silu(0) = 0: the MLP adds nothing"},
      {.title = "both halves: an open gate",
       .arguments =
           arguments(kTwo, {1, 1}, {}, {}, 0,
                     {kOnes, kZeros, kZeros, {0, 0, 0, 6}, kOnes, kOnes, kSame, {5, 1}, kSame, kCrossed, kSame, {1}}),
       .expected = {{std::vector<float>{2.023482f, 8.123057f}, std::vector<float>{0, 0}, std::vector<float>{0, 6}}},
       .arithmetic =
           "norm: [1, 1]; the value is [0, 6]; one token, its share is 1; add: [1, 7]\n"
           "norm of that: √((1 + 49) / 2) = 5; [1, 7] / 5 · [5, 1] = [1, 1.4]; the gate is this, up [1.4, 1]\n"
           "silu: 1 / (1 + e^−1) = 0.731059, 1.4 / (1 + e^−1.4) = 1.123057\n"
           "times up: 0.731059 · 1.4 = 1.023482, 1.123057 · 1 = 1.123057\nadd"},
      {.title = "two heads of queries: heads · d is 4, hidden is 2",
       .arguments = arguments(wide, {3, 4}, {}, {}, 0,
                              {kOnes, eight, kZeros, kSame, kOnes, kOnes, ends, kOnes, six, six, six, {1}}),
       .expected = {{std::vector<float>{3.848528f, 5.131371f}, std::vector<float>{0, 0},
                     std::vector<float>{0.848528f, 1.131371f}}},
       .arithmetic = "norm: [0.848528, 1.131371], and wv leaves it\n"
                     "attention: one token, and both heads get its value: [0.848528, 1.131371, 0.848528, 1.131371]\n"
                     "wo has rows of 4: [1, 0, 0, 0] and [0, 0, 0, 1]: the first and the last, 0.848528 and "
                     "1.131371\nadd: [3.848528, 5.131371]; the gate is 0, the MLP adds nothing"}};
  for (Case& one : with_tokens_before()) cases.push_back(std::move(one));
  return cases;
}

std::vector<Argument> random(Random& random) {
  const std::size_t kv_heads = whole(random, 1, 2), half = whole(random, 1, 3);
  const Shape s{.hidden = whole(random, 3, 9),
                .heads = kv_heads * whole(random, 1, 2),
                .kv_heads = kv_heads,
                .d = 2 * half,
                .intermediate = whole(random, 2, 9)};
  const std::size_t tokens = whole(random, 1, 3), first = whole(random, 0, 1) * whole(random, 1, 4);
  const std::size_t q = s.heads * s.d, kv = s.kv_heads * s.d;
  const auto near_one = [&](std::size_t n) {
    std::vector<float> weight = floats(random, n, 0.3);
    for (float& w : weight) w += 1;
    return weight;
  };
  std::vector<float> frequencies;
  for (std::size_t i = 0; i < half; ++i) frequencies.push_back(1 / static_cast<float>(i * 4 + 1));
  std::vector<float> x = floats(random, tokens * s.hidden, 2), keys = floats(random, first * kv);
  std::vector<float> values = floats(random, first * kv);
  return arguments(s, std::move(x), std::move(keys), std::move(values), first,
                   {near_one(s.hidden), floats(random, q * s.hidden), floats(random, kv * s.hidden),
                    floats(random, kv * s.hidden), near_one(s.d), near_one(s.d), floats(random, s.hidden * q),
                    near_one(s.hidden), floats(random, s.intermediate * s.hidden),
                    floats(random, s.intermediate * s.hidden), floats(random, s.hidden * s.intermediate), frequencies});
}

// What a layer's verbs say of it, in the order in which forward.cpp calls them.
class Watched {
 public:
  explicit Watched(LearnerFunction f) : f_(f) {}

  void norm(ConstMatrix x, const Norm& norm) {
    // A new layer begins behind the second sum of the one before, or where a pass was left in the middle: between the
    // q and the k layer there is no norm.
    if (adds_ == 2 || linears_.size() < 3 || is_last_norm(norm)) {
      *this = Watched(f_);
      x_.assign(x.data(), x.data() + x.size());
    }
    norms_.push_back(&norm);
  }
  void linear(const PackedMatrix& w) { linears_.push_back(&w); }
  void turn(std::span<const float> frequencies) { frequencies_ = frequencies; }
  void store(const BatchRows& rows, std::size_t layer) {
    runs_ = runs_of(rows);
    layer_ = layer;
  }
  void added_to(Matrix x) {
    if (++adds_ == 2 && is_known()) replace(x);
  }

 private:
  // q, k and their norms, v, o, a norm, gate, up, down: nothing more and nothing less.
  bool is_known() const {
    const auto plain = [](const PackedMatrix* w) { return w->bias.empty(); };
    const auto usual = [](const Norm* n) { return n->epsilon == kEpsilon; };
    return norms_.size() == 4 && linears_.size() == 7 && std::all_of(linears_.begin(), linears_.end(), plain) &&
           std::all_of(norms_.begin(), norms_.end(), usual);
  }

  void replace(Matrix x) const {
    std::vector<float> scratch[7];
    std::span<const float> w[7];
    for (std::size_t i = 0; i < 7; ++i) w[i] = floats_of(*linears_[i], scratch[i]);
    for (const Run& run : runs_) {
      const std::size_t begin = run.begin * x.extent<Columns>(), count = run.count * x.extent<Columns>();
      std::vector<float> out(&x_[begin], &x_[begin] + count), keys = kept(run, keys_of), values = kept(run, values_of);
      call(f_, Out(out), Out(keys), Out(values), run.first, norms_[0]->weight, w[0], w[1], w[2], norms_[1]->weight,
           norms_[2]->weight, w[3], norms_[3]->weight, w[4], w[5], w[6], frequencies_);
      std::copy(out.begin(), out.end(), x.data() + begin);
      for (std::size_t t = 0; t < run.count; ++t) keep(run, run.first + t, keys, values);
    }
  }
  // [first + count, kv_heads, d] of a run's sequence, the last `count` of them no numbers yet.
  template <class Read>
  std::vector<float> kept(const Run& run, const Read& read) const {
    const std::size_t kv_heads = run.cache->shape().kv_heads, d = run.cache->shape().head_dim;
    std::vector<float> all((run.first + run.count) * kv_heads * d, std::numeric_limits<float>::quiet_NaN());
    for (std::size_t h = 0; h < kv_heads; ++h) {
      const std::vector<float> head = read(*run.cache, layer_, h, run.first);
      for (std::size_t j = 0; j < run.first; ++j) std::copy_n(&head[j * d], d, &all[(j * kv_heads + h) * d]);
    }
    return all;
  }
  void keep(const Run& run, std::size_t position, In keys, In values) const {
    const std::size_t kv_heads = run.cache->shape().kv_heads, d = run.cache->shape().head_dim;
    run.cache->store(layer_, position, {&keys[position * kv_heads * d], {kv_heads, d}},
                     {&values[position * kv_heads * d], {kv_heads, d}});
  }

  LearnerFunction f_;
  std::vector<float> x_;  // as it came into the layer
  std::vector<const Norm*> norms_;
  std::vector<const PackedMatrix*> linears_;
  std::span<const float> frequencies_;
  std::vector<Run> runs_;
  std::size_t layer_ = 0, adds_ = 0;
};

void place(Seams& seams, LearnerFunction f) {
  const auto layer = std::make_shared<Watched>(f);
  seams.verbs.rms_norm = [layer, before = norm_of(seams)](Matrix out, ConstMatrix x, const Norm& norm) {
    layer->norm(x, norm);
    before(out, x, norm);
  };
  seams.verbs.linear = [layer, before = linear_of(seams)](Ops& inner, Matrix out, ConstMatrix x,
                                                          const PackedMatrix& w) {
    layer->linear(w);
    before(inner, out, x, w);
  };
  seams.verbs.rope = [layer, before = seams.verbs.rope](Tensor<float, Tokens, Heads, HeadDim> x,
                                                        std::span<const std::uint32_t> positions, const Rope& rope) {
    layer->turn(rope.inverse_frequencies);
    if (before) return before(x, positions, rope);
    const std::size_t d = x.extent<HeadDim>(), heads = x.extent<Heads>();
    for (std::size_t i = 0; i < positions.size() * heads; ++i) {
      rope::reference({x.data() + i * d, d}, positions[i / heads], rope.inverse_frequencies);
      if (rope.magnitude != 1) scalar::kernels.scale(x.data() + i * d, rope.magnitude, d);
    }
  };
  seams.verbs.store_kv = [layer](Ops& inner, const BatchRows& rows, std::size_t index,
                                 Tensor<const float, Tokens, KvHeads, HeadDim> k,
                                 Tensor<const float, Tokens, KvHeads, HeadDim> v) {
    layer->store(rows, index);
    inner.do_store_kv(rows, index, k, v);
  };
  seams.verbs.add = [layer](Matrix x, ConstMatrix y) {
    add(x.span(), y.span());
    layer->added_to(x);
  };
}

}  // namespace

Exercise exercise() {
  return {
      .name = "m2-block",
      .reference = learn::reference<with<Wrong::nothing>>(),
      .by_hand = by_hand,
      .random = random,
      .tolerance = 1e-4,  // some hundred roundings one after the other
      .mistakes = {{"residual-missing", "what attention found replaces x: it is added to it", kPage,
                    function<with<Wrong::first_not_added>>},
                   {"second-residual-missing", "what the MLP found replaces x: it is added to it", kPage,
                    function<with<Wrong::second_not_added>>},
                   {"residual-normed", "attention is added to norm(x): x itself is what it is added to", kPage,
                    function<with<Wrong::added_to_normed>>},
                   {"mlp-norm-forgotten", "the MLP sees x as it is: there is a second norm before it, mlp_norm", kPage,
                    function<with<Wrong::mlp_norm>>},
                   {"parallel-halves",
                    "the MLP sees what attention saw: norm the new x, to which attention has been added", kPage,
                    function<with<Wrong::old_norm>>},
                   {"attention-norm-for-mlp", "attention_norm norms x before the MLP, too: there it is mlp_norm", kPage,
                    function<with<Wrong::attention_norm_twice>>},
                   {"mlp-missing", "the MLP adds nothing: x is what attention left of it", kPage,
                    function<with<Wrong::no_mlp>>},
                   {"gate-up-swapped", "the gate is what w_gate makes: swiglu(gate, up), not (up, gate)", kPage,
                    function<with<Wrong::gate_and_up_swapped>>},
                   {"attended-by-hidden",
                    "a row of what attention found is heads · d long, and so is a row of wo: not hidden", kPage,
                    function<with<Wrong::wo_by_hidden>>},
                   {"keys-from-zero", "k is turned as if x began at position 0: row t stands at first + t, as for q",
                    kPage, function<with<Wrong::keys_from_zero>>},
                   {"queries-from-zero", "q is turned as if x began at position 0: row t stands at first + t, as for k",
                    kPage, function<with<Wrong::queries_from_zero>>},
                   {"keys-not-turned", "the keys that are kept are not turned: first rope, then keep", kPage,
                    function<with<Wrong::keys_not_turned>>},
                   {"queries-not-turned", "q is not turned: rope is for q and for k", kPage,
                    function<with<Wrong::queries_not_turned>>},
                   {"rope-missing", "neither q nor k is turned", kPage, function<with<Wrong::nothing_turned>>},
                   {"turned-before-norm", "q and k are turned before they are normed: first norm, then rope", kPage,
                    function<with<Wrong::turned_before_norm>>},
                   {"values-turned", "v was turned: only q and k are compared, and only they are turned", kPage,
                    function<with<Wrong::values_turned>>},
                   {"missing-qk-norm", "q and k are not normed: q_norm and k_norm are for that, head by head", kPage,
                    function<with<Wrong::no_head_norms>>},
                   {"query-norm-missing", "q is not normed: q_norm is for that, head by head", kPage,
                    function<with<Wrong::no_query_norm>>},
                   {"key-norm-missing", "k is not normed: k_norm is for that, head by head", kPage,
                    function<with<Wrong::no_key_norm>>},
                   {"key-norm-for-queries", "q is normed with k_norm: its own is q_norm", kPage,
                    function<with<Wrong::key_norm_for_queries>>},
                   {"query-norm-for-keys", "k is normed with q_norm: its own is k_norm", kPage,
                    function<with<Wrong::query_norm_for_keys>>}},
      .place = place};
}

}  // namespace rung::learn::block
