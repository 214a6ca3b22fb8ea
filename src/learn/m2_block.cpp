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
  mlp_norm,
  old_norm,
  values_turned,
  keys_from_zero,
  wo_by_hidden,
  added_to_normed
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

void run(Out x, Out keys, Out values, std::size_t first, const Weights& w, Wrong wrong) {
  const std::size_t hidden = w.attention_norm.size(), d = w.q_norm.size(), tokens = x.size() / hidden;
  std::vector<float> n = normed(x, w.attention_norm);
  std::vector<float> q = normed(product(n, w.wq, hidden), w.q_norm), k = normed(product(n, w.wk, hidden), w.k_norm);
  std::vector<float> v = product(n, w.wv, hidden);
  turn(q, tokens, first, w.frequencies);
  turn(k, tokens, wrong == Wrong::keys_from_zero ? 0 : first, w.frequencies);
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

  if (wrong == Wrong::mlp_norm) n.assign(x.begin(), x.end());
  if (wrong != Wrong::mlp_norm && wrong != Wrong::old_norm) n = normed(x, w.mlp_norm);
  std::vector<float> gate = product(n, w.w_gate, hidden);
  swiglu::reference(gate, gate, product(n, w.w_up, hidden));
  if (wrong == Wrong::second_not_added) std::fill(x.begin(), x.end(), 0.0f);
  add(x, product(gate, w.w_down, gate.size() / tokens));
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

std::vector<Case> by_hand() {
  const std::vector<float> ones{1, 1}, zeros{0, 0, 0, 0}, same{1, 0, 0, 1};
  const Shape two{.hidden = 2, .heads = 1, .kv_heads = 1, .d = 2, .intermediate = 2};
  const Shape wide{.hidden = 2, .heads = 2, .kv_heads = 1, .d = 2, .intermediate = 3};
  const std::vector<float> six(6), eight(8), ends{1, 0, 0, 0, 0, 0, 0, 1};
  constexpr float kQuarter = 1.5707964f;
  return {
      {.title = "the first half: one token, a shut gate",
       .arguments = arguments(two, {3, 4}, {}, {}, 0,
                              {ones, zeros, zeros, same, ones, ones, same, ones, zeros, same, same, {1}}),
       .expected = {{std::vector<float>{3.848528f, 5.131371f}, std::vector<float>{0, 0},
                     std::vector<float>{0.848528f, 1.131371f}}},
       .arithmetic = "norm: [3, 4] / 3.535534 = [0.848528, 1.131371]; wk makes zeros of it, wv leaves it\n"
                     "attention: one token, its share is 1: [0.848528, 1.131371]; wo leaves it\n"
                     "add: [3.848528, 5.131371]\nthe gate is silu(0) = 0: the MLP adds nothing"},
      {.title = "the second half: values of zero, and an open gate",
       .arguments = arguments(two, {3, 4}, {}, {}, 0,
                              {ones, zeros, zeros, zeros, ones, ones, same, {2, 1}, same, same, same, {1}}),
       .expected = {{std::vector<float>{5.434032f, 4.967798f}, std::vector<float>{0, 0}, std::vector<float>{0, 0}}},
       .arithmetic = "attention: the value is [0, 0], so x stays [3, 4]\n"
                     "norm: [3, 4] / 3.535534 · [2, 1] = [1.697056, 1.131371]; gate and up are both this\n"
                     "silu: 1.697056 / (1 + e^−1.697056) = 1.434267, 1.131371 / (1 + e^−1.131371) = 0.855420\n"
                     "times up: 1.434267 · 1.697056 = 2.434032, 0.855420 · 1.131371 = 0.967798\nadd"},
      {.title = "two heads of queries: heads · d is 4, hidden is 2",
       .arguments =
           arguments(wide, {3, 4}, {}, {}, 0, {ones, eight, zeros, same, ones, ones, ends, ones, six, six, six, {1}}),
       .expected = {{std::vector<float>{3.848528f, 5.131371f}, std::vector<float>{0, 0},
                     std::vector<float>{0.848528f, 1.131371f}}},
       .arithmetic = "norm: [0.848528, 1.131371], and wv leaves it\n"
                     "attention: one token, and both heads get its value: [0.848528, 1.131371, 0.848528, 1.131371]\n"
                     "wo has rows of 4: [1, 0, 0, 0] and [0, 0, 0, 1]: the first and the last, 0.848528 and "
                     "1.131371\nadd: [3.848528, 5.131371]; the gate is 0, the MLP adds nothing"},
      {.title = "one token was there before: x stands at position 1",
       .arguments = arguments(two, {1, 1}, {1, 1}, {4, 0}, 1,
                              {ones, zeros, same, zeros, ones, ones, same, ones, zeros, same, same, {kQuarter}}),
       .expected = {{std::vector<float>{3, 1}, std::vector<float>{1, 1, -1, 1}, std::vector<float>{4, 0, 0, 0}}},
       .arithmetic = "norm: [1, 1]; wk leaves it; position 1 · 1.5708 turns it by a quarter: the key is [−1, 1]\n"
                     "the query is [0, 0]: all scores are 0, each of the two tokens has a share of 1/2\n"
                     "values: [4, 0] and [0, 0], so [2, 0]; wo leaves it\nadd: [3, 1]; the gate is 0"}};
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
                   {"attended-by-hidden",
                    "a row of what attention found is heads · d long, and so is a row of wo: not hidden", kPage,
                    function<with<Wrong::wo_by_hidden>>},
                   {"keys-from-zero", "k is turned as if x began at position 0: row t stands at first + t, as for q",
                    kPage, function<with<Wrong::keys_from_zero>>},
                   {"values-turned", "v was turned: only q and k are compared, and only they are turned", kPage,
                    function<with<Wrong::values_turned>>}},
      .place = place};
}

}  // namespace rung::learn::block
