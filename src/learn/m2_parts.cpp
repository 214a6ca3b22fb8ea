// M2's exercises that are a verb of their own: embedding, linear, RoPE, SwiGLU. As in m2.cpp each has a
// namespace; the references are Rung's own kernels.
#include <algorithm>
#include <cmath>
#include <utility>

#include "kernels/scalar/scalar.h"
#include "learn/m2.h"
#include "learn/seams.h"

namespace rung::learn {

// ---- m2-embedding: out[t] = table[ids[t]] ----
namespace embedding {
namespace {

using Ids = std::span<const std::int32_t>;

constexpr const char* kPage = "m2-forward-pass#embedding";

void reference(Out out, Ids ids, In table, std::size_t width) {
  for (std::size_t t = 0; t < ids.size(); ++t) {
    std::copy_n(&table[static_cast<std::size_t>(ids[t]) * width], width, &out[t * width]);
  }
}
void columns(Out out, Ids ids, In table, std::size_t width) {
  const std::size_t vocabulary = table.size() / width;
  for (std::size_t i = 0; i < out.size(); ++i) {
    out[i] = table[i % width * vocabulary + static_cast<std::size_t>(ids[i / width])];
  }
}
void by_position(Out out, Ids, In table, std::size_t width) {
  for (std::size_t i = 0; i < out.size(); ++i) out[i] = table[i / width % (table.size() / width) * width + i % width];
}
void added(Out out, Ids, In, std::size_t) {
  std::fill(out.begin(), out.end(), std::numeric_limits<float>::quiet_NaN());  // and whatever
}
void first_id(Out out, Ids ids, In table, std::size_t width) {
  for (std::size_t i = 0; i < out.size(); ++i) out[i] = table[static_cast<std::size_t>(ids[0]) * width + i % width];
}

std::vector<Argument> arguments(std::vector<std::int32_t> ids, std::vector<float> table, std::size_t width) {
  const std::size_t rows = table.size() / width;
  return {output("out", ids.size() * width, {ids.size(), width}),
          {"ids", std::move(ids)},
          {"table", std::move(table), {rows, width}},
          {"width", static_cast<double>(width)}};
}

std::vector<Case> by_hand() {
  return {{.title = "two ids, a table of three rows",
           .arguments = arguments({2, 0}, {10, 11, 20, 21, 30, 31}, 2),
           .expected = {{std::vector<float>{30, 31, 10, 11}}},
           .arithmetic = "row 0 of out is row 2 of the table: 30, 31\nrow 1 of out is row 0 of the table: 10, 11"},
          {.title = "the same id twice",
           .arguments = arguments({1, 1, 0}, {1, 2, 3, 4, 5, 6, 7, 8, 9}, 3),
           .expected = {{std::vector<float>{4, 5, 6, 4, 5, 6, 1, 2, 3}}},
           .arithmetic = "rows 0 and 1 of out are row 1 of the table: 4, 5, 6\nrow 2 of out is row 0: 1, 2, 3"}};
}

std::vector<Argument> random(Random& random) {
  const std::size_t width = whole(random, 1, 48), rows = whole(random, 2, 60);
  std::vector<std::int32_t> ids(whole(random, 1, std::min<std::size_t>(rows, 12)));
  for (std::int32_t& id : ids) id = static_cast<std::int32_t>(whole(random, 0, rows - 1));
  return arguments(std::move(ids), floats(random, rows * width), width);
}

void place(Seams& seams, LearnerFunction f) {
  seams.verbs.embed = [f](Matrix out, Ids ids, const PackedMatrix& table, float scale) {
    std::vector<float> scratch;
    call(f, out.span(), ids, floats_of(table, scratch), table.columns);
    if (scale != 1) scalar::kernels.scale(out.data(), scale, out.size());
  };
}

}  // namespace

Exercise exercise() {
  return {
      .name = "m2-embedding",
      .reference = learn::reference<reference>(),
      .by_hand = by_hand,
      .random = random,
      .tolerance = 0,
      .mistakes = {{"row-by-position", "row t of the table is taken, whatever the token is: the row to take is ids[t]",
                    kPage, function<by_position>},
                   {"table-transposed", "the table is read column by column: number i of row r is at r * width + i",
                    kPage, function<columns>},
                   {"first-id-for-all", "every row is that of the first id: the row of token t is ids[t]", kPage,
                    function<first_id>},
                   {"added-to-what-was-there",
                    "what lies in out before the call means nothing: write with =, do not add to it", kPage,
                    function<added>}},
      .place = place};
}

}  // namespace embedding

// ---- m2-linear: out[t][o] = Σ_i x[t][i]·w[o][i] ----
namespace linear {

void reference(Out out, In x, In w, std::size_t tokens, std::size_t inputs, std::size_t outputs) {
  for (std::size_t t = 0; t < tokens; ++t) {
    for (std::size_t o = 0; o < outputs; ++o) {
      out[t * outputs + o] = scalar::kernels.dot(&x[t * inputs], &w[o * inputs], inputs);
    }
  }
}

namespace {

constexpr const char* kPage = "m2-forward-pass#linear";

void transposed(Out out, In x, In w, std::size_t tokens, std::size_t inputs, std::size_t outputs) {
  for (std::size_t i = 0; i < tokens * outputs; ++i) {
    float sum = 0;
    for (std::size_t k = 0; k < inputs; ++k) sum += x[i / outputs * inputs + k] * w[k * outputs + i % outputs];
    out[i] = sum;
  }
}
void sum_goes_on(Out out, In x, In w, std::size_t tokens, std::size_t inputs, std::size_t outputs) {
  reference(out, x, w, tokens, inputs, outputs);
  for (std::size_t i = 1; i < out.size(); ++i) {
    if (i % outputs != 0) out[i] += out[i - 1];
  }
}
void never_reset(Out out, In x, In w, std::size_t tokens, std::size_t inputs, std::size_t outputs) {
  reference(out, x, w, tokens, inputs, outputs);
  for (std::size_t i = 1; i < out.size(); ++i) out[i] += out[i - 1];
}
void first_token(Out out, In x, In w, std::size_t tokens, std::size_t inputs, std::size_t outputs) {
  for (std::size_t t = 0; t < tokens; ++t) {
    reference(out.subspan(t * outputs, outputs), x.first(inputs), w, 1, inputs, outputs);
  }
}
void output_transposed(Out out, In x, In w, std::size_t tokens, std::size_t inputs, std::size_t outputs) {
  std::vector<float> right(out.size());
  reference(right, x, w, tokens, inputs, outputs);
  for (std::size_t i = 0; i < right.size(); ++i) out[i % outputs * tokens + i / outputs] = right[i];
}

std::vector<Argument> arguments(std::vector<float> x, std::vector<float> w, std::size_t tokens, std::size_t inputs) {
  const std::size_t outputs = w.size() / inputs;
  return {output("out", tokens * outputs, {tokens, outputs}),
          {"x", std::move(x), {tokens, inputs}},
          {"w", std::move(w), {outputs, inputs}},
          {"tokens", static_cast<double>(tokens)},
          {"inputs", static_cast<double>(inputs)},
          {"outputs", static_cast<double>(outputs)}};
}

std::vector<Case> by_hand() {
  return {{.title = "two tokens, three inputs, two outputs",
           .arguments = arguments({1, 2, 3, 0, 1, 0}, {1, 0, 2, 3, 1, 0}, 2, 3),
           .expected = {{std::vector<float>{7, 5, 0, 1}}},
           .arithmetic = "token 0: 1·1 + 2·0 + 3·2 = 7, 1·3 + 2·1 + 3·0 = 5\n"
                         "token 1: 0·1 + 1·0 + 0·2 = 0, 0·3 + 1·1 + 0·0 = 1"},
          {.title = "one token, as when a word is written",
           .arguments = arguments({2, -1}, {1, 1, 0, 3, 5, 10}, 1, 2),
           .expected = {{std::vector<float>{1, -3, 0}}},
           .arithmetic = "2·1 − 1·1 = 1\n2·0 − 1·3 = −3\n2·5 − 1·10 = 0"}};
}

std::vector<Argument> random(Random& random) {
  const std::size_t tokens = whole(random, 1, 5), inputs = whole(random, 1, 70), outputs = whole(random, 1, 40);
  std::vector<float> x = floats(random, tokens * inputs);
  return arguments(std::move(x), floats(random, outputs * inputs), tokens, inputs);
}

void place(Seams& seams, LearnerFunction f) {
  seams.verbs.linear = [f](Ops&, Matrix out, ConstMatrix x, const PackedMatrix& w) {
    std::vector<float> scratch;
    call(f, out.span(), x.span(), floats_of(w, scratch), x.extent<Rows>(), w.columns, w.rows);
    for (std::size_t i = 0; !w.bias.empty() && i < out.size(); ++i) out.data()[i] += w.bias[i % w.rows];
  };
}

Race race() {
  Random random(1);
  std::vector<float> x = floats(random, 512);
  return {.arguments = arguments(std::move(x), floats(random, 256 * 512), 1, 512),
          .operations = 2.0 * 256 * 512,
          .rivals = {{"Rung's, with sixteen sums side by side", function<reference>}}};
}

}  // namespace

Exercise exercise() {
  return {.name = "m2-linear",
          .reference = learn::reference<reference>(),
          .by_hand = by_hand,
          .random = random,
          .tolerance = 1e-5,
          .mistakes = {{"linear-transposed",
                        "w is read as [inputs, outputs]: it has a row for each output, w[o * inputs + i]", kPage,
                        function<transposed>},
                       {"sum-not-reset", "the sum of one output goes on into the next: it begins at 0 for each", kPage,
                        function<sum_goes_on>},
                       {"sum-never-reset", "one sum goes on from output to output and from token to token", kPage,
                        function<never_reset>},
                       {"first-token-for-all", "every token is given the first one's row: x[t * inputs + i]", kPage,
                        function<first_token>},
                       {"output-transposed", "out is written as [outputs, tokens]: it is out[t * outputs + o]", kPage,
                        function<output_transposed>}},
          .place = place,
          .race = race};
}

}  // namespace linear

// ---- m2-rope: the pair (i, i + d/2) turned by position·frequencies[i] ----
namespace rope {

void reference(Out head, std::size_t position, In frequencies) {
  std::vector<float> cosine, sine;
  for (const float frequency : frequencies) {
    const float angle = static_cast<float>(position) * frequency;
    cosine.push_back(std::cos(angle));
    sine.push_back(std::sin(angle));
  }
  scalar::kernels.rotate(head.data(), cosine.data(), sine.data(), frequencies.size());
}

namespace {

constexpr const char* kPage = "m2-forward-pass#rope";

void neighbours(Out head, std::size_t position, In frequencies) {
  const std::size_t half = frequencies.size();
  std::vector<float> apart(head.size());
  for (std::size_t i = 0; i < half; ++i) apart[i] = head[2 * i], apart[i + half] = head[2 * i + 1];
  reference(apart, position, frequencies);
  for (std::size_t i = 0; i < half; ++i) head[2 * i] = apart[i], head[2 * i + 1] = apart[i + half];
}
void backwards(Out head, std::size_t position, In frequencies) {
  std::vector<float> negative(frequencies.begin(), frequencies.end());
  for (float& f : negative) f = -f;
  reference(head, position, negative);
}
void from_one(Out head, std::size_t position, In frequencies) { reference(head, position + 1, frequencies); }
void turned_by(Out head, std::size_t position, In frequencies, float factor) {
  std::vector<float> other(frequencies.begin(), frequencies.end());
  for (float& f : other) f *= factor;
  reference(head, position, other);
}
constexpr float kDegrees = 57.29578f;  // of one radian
void from_degrees(Out head, std::size_t position, In frequencies) {
  turned_by(head, position, frequencies, 1 / kDegrees);
}
void to_degrees(Out head, std::size_t position, In frequencies) { turned_by(head, position, frequencies, kDegrees); }
void overwritten(Out head, std::size_t position, In frequencies) {
  const std::size_t half = frequencies.size();
  for (std::size_t i = 0; i < half; ++i) {
    const float angle = static_cast<float>(position) * frequencies[i];
    head[i] = head[i] * std::cos(angle) - head[i + half] * std::sin(angle);
    head[i + half] = head[i + half] * std::cos(angle) + head[i] * std::sin(angle);
  }
}
void signs_alike(Out head, std::size_t position, In frequencies) {
  const std::size_t half = frequencies.size();
  for (std::size_t i = 0; i < half; ++i) {
    const float angle = static_cast<float>(position) * frequencies[i];
    const float a = head[i], b = head[i + half];
    head[i] = a * std::cos(angle) - b * std::sin(angle);
    head[i + half] = b * std::cos(angle) - a * std::sin(angle);
  }
}
void nothing(Out, std::size_t, In) {}

std::vector<Argument> arguments(std::vector<float> head, std::size_t position, std::vector<float> frequencies) {
  return {{"head", std::move(head), {}, true},
          {"position", static_cast<double>(position)},
          {"frequencies", std::move(frequencies)}};
}

std::vector<Case> by_hand() {
  constexpr float kQuarter = 1.5707964f;
  return {{.title = "two pairs: one turns by a quarter, the other does not",
           .arguments = arguments({3, 2, 1, 5}, 1, {kQuarter, 0}),
           .expected = {{std::vector<float>{-1, 2, 3, 5}}},
           .arithmetic = "pair 0 is (head[0], head[2]) = (3, 1), the angle 1 · 1.5708: cos = 0, sin = 1\n"
                         "head[0] = 3·0 − 1·1 = −1, head[2] = 1·0 + 3·1 = 3\n"
                         "pair 1 is (head[1], head[3]) = (2, 5), the angle 0: it stays"},
          {.title = "position 2: twice as far",
           .arguments = arguments({1, 2, 4, 3}, 2, {kQuarter, kQuarter / 2}),
           .expected = {{std::vector<float>{-1, -3, -4, 2}}},
           .arithmetic = "pair 0 is (1, 4), half a turn: cos = −1, sin = 0: (−1, −4)\n"
                         "pair 1 is (2, 3), a quarter: (2·0 − 3·1, 3·0 + 2·1) = (−3, 2)"},
          {.title = "position 0: nothing turns",
           .arguments = arguments({1, 2, 3, 4}, 0, {1, 0.01f}),
           .expected = {{std::vector<float>{1, 2, 3, 4}}},
           .arithmetic = "0 · 1 = 0 and 0 · 0.01 = 0: cos = 1, sin = 0"}};
}

std::vector<Argument> random(Random& random) {
  const std::size_t half = whole(random, 2, 32);
  std::vector<float> head = floats(random, 2 * half), frequencies;
  for (std::size_t i = 0; i < half; ++i) {
    frequencies.push_back(std::pow(10000.0f, -static_cast<float>(i) / static_cast<float>(half)));
  }
  return arguments(std::move(head), whole(random, 0, 30), std::move(frequencies));
}

void place(Seams& seams, LearnerFunction f) {
  seams.verbs.rope = [f](Tensor<float, Tokens, Heads, HeadDim> x, std::span<const std::uint32_t> positions,
                         const Rope& rope) {
    for (std::size_t t = 0; t < positions.size(); ++t) {
      for (std::size_t h = 0; h < x.extent<Heads>(); ++h) {
        call(f, x[t][h].span(), positions[t], rope.inverse_frequencies);
        if (rope.magnitude != 1) scalar::kernels.scale(x[t][h].data(), rope.magnitude, x.extent<HeadDim>());
      }
    }
  };
}

}  // namespace

Exercise exercise() {
  return {.name = "m2-rope",
          .reference = learn::reference<reference>(),
          .by_hand = by_hand,
          .random = random,
          .tolerance = 3e-5,  // what an angle loses that is a float

          .mistakes = {{"rope-pairing", "neighbours (2i, 2i + 1) are turned: the pairs are halves apart, (i, i + d/2)",
                        "learnings/two-rope-conventions", function<neighbours>},
                       {"rope-backwards", "turned the other way: the minus stands in the line of head[i]", kPage,
                        function<backwards>},
                       {"overwritten-too-early",
                        "head[i] is new already where head[i + d/2] needs the old one: keep both numbers first", kPage,
                        function<overwritten>},
                       {"rope-position", "positions are counted from 1: the first token stands at 0 and is not turned",
                        kPage, function<from_one>},
                       {"angle-in-degrees",
                        "the angle is taken for degrees: position · frequencies[i] is in radians, as std::cos wants it",
                        kPage, function<from_degrees>},
                       {"angle-in-degrees",
                        "the angle is made degrees: position · frequencies[i] is in radians, as std::cos wants it",
                        kPage, function<to_degrees>},
                       {"both-signs-alike", "there is a minus in both lines: in that of head[i + d/2] it is a plus",
                        kPage, function<signs_alike>},
                       {"rope-missing", "nothing was turned", kPage, function<nothing>}},
          .place = place};
}

}  // namespace rope

// ---- m2-swiglu: out = silu(gate)·up ----
namespace swiglu {

void reference(Out out, In gate, In up) { scalar::kernels.silu_gate(out.data(), gate.data(), up.data(), out.size()); }

namespace {

constexpr const char* kPage = "m2-forward-pass#swiglu";

void swapped(Out out, In gate, In up) { reference(out, up, gate); }
void sigmoid(Out out, In gate, In up) {
  for (std::size_t i = 0; i < out.size(); ++i) out[i] = up[i] / (1 + std::exp(-gate[i]));
}
void sign(Out out, In gate, In up) {
  for (std::size_t i = 0; i < out.size(); ++i) out[i] = gate[i] / (1 + std::exp(gate[i])) * up[i];
}
void of_product(Out out, In gate, In up) {
  for (std::size_t i = 0; i < out.size(); ++i) out[i] = gate[i] * up[i] / (1 + std::exp(-gate[i] * up[i]));
}
void no_activation(Out out, In gate, In up) {
  for (std::size_t i = 0; i < out.size(); ++i) out[i] = gate[i] * up[i];
}
// A bracket at another place.
void up_below(Out out, In gate, In up) {
  for (std::size_t i = 0; i < out.size(); ++i) out[i] = gate[i] / (1 + std::exp(-gate[i]) * up[i]);
}
void up_in_the_power(Out out, In gate, In up) {
  for (std::size_t i = 0; i < out.size(); ++i) out[i] = gate[i] / (1 + std::exp(-gate[i] * up[i]));
}
void no_brackets(Out out, In gate, In up) {
  for (std::size_t i = 0; i < out.size(); ++i) out[i] = gate[i] / 1 + std::exp(-gate[i]) * up[i];
}
void divided_by_one(Out out, In gate, In up) {
  for (std::size_t i = 0; i < out.size(); ++i) out[i] = (gate[i] / 1 + std::exp(-gate[i])) * up[i];
}
void without_up(Out out, In gate, In) { reference(out, gate, std::vector<float>(gate.size(), 1.0f)); }
void gelu(Out out, In gate, In up) { scalar::kernels.gelu_gate(out.data(), gate.data(), up.data(), out.size()); }

std::vector<Argument> arguments(std::vector<float> gate, std::vector<float> up) {
  return {output("out", gate.size()), {"gate", std::move(gate)}, {"up", std::move(up)}};
}

std::vector<Case> by_hand() {
  return {{.title = "a shut gate and one that is half open",
           .arguments = arguments({0, 1}, {5, 2}),
           .expected = {{std::vector<float>{0, 1.462117f}}},
           .arithmetic = "silu(0) = 0 / (1 + 1) = 0; 0 · 5 = 0\n"
                         "silu(1) = 1 / (1 + e^−1) = 1 / 1.367879 = 0.731059; 0.731059 · 2 = 1.462117"},
          {.title = "far below and far above 0",
           .arguments = arguments({-20, 20}, {3, 3}),
           .expected = {{std::vector<float>{0, 60}}},
           .arithmetic = "silu(−20) = −20 / (1 + e^20) = −0.00000004: as good as 0\n"
                         "silu(20) = 20 / (1 + e^−20) = 20; 20 · 3 = 60"}};
}

std::vector<Argument> random(Random& random) {
  std::vector<float> gate = floats(random, whole(random, 1, 100), 3);
  const std::size_t n = gate.size();
  return arguments(std::move(gate), floats(random, n, 2));
}

void place(Seams& seams, LearnerFunction f) {
  seams.verbs.gate = [f](Matrix out, ConstMatrix gate, ConstMatrix up, Activation activation) {
    if (activation != Activation::silu) {
      return scalar::kernels.gelu_gate(out.data(), gate.data(), up.data(), out.size());
    }
    const std::vector<float> kept(gate.data(), gate.data() + gate.size());  // out may be gate
    call(f, out.span(), kept, up.span());
  };
}

}  // namespace

Exercise exercise() {
  return {.name = "m2-swiglu",
          .reference = learn::reference<reference>(),
          .by_hand = by_hand,
          .random = random,
          .tolerance = 1e-5,
          .mistakes = {{"gate-up-swapped", "the activation belongs to gate, not to up", kPage, function<swapped>},
                       {"sigmoid-for-silu", "gate is missing above the line: silu(g) is g / (1 + e^−g)", kPage,
                        function<sigmoid>},
                       {"exponent-sign", "the exponent has the wrong sign: e to the −gate", kPage, function<sign>},
                       {"silu-of-the-product", "gate and up are multiplied first: silu is of gate alone", kPage,
                        function<of_product>},
                       {"activation-missing", "gate is multiplied as it is: silu is missing", kPage,
                        function<no_activation>},
                       {"up-below-the-line",
                        "up stands below the line: the bracket of 1 + e^−gate ends before it, / (1 + e^−gate) * up",
                        kPage, function<up_below>},
                       {"up-in-the-power", "up stands in the power: the bracket of std::exp ends after gate", kPage,
                        function<up_in_the_power>},
                       {"brackets-missing", "gate is divided by 1 alone: 1 + e^−gate needs brackets around it", kPage,
                        function<no_brackets>},
                       {"brackets-missing", "gate is divided by 1 alone: 1 + e^−gate needs brackets around it", kPage,
                        function<divided_by_one>},
                       {"up-forgotten", "up is missing: what the gate lets through is up", kPage, function<without_up>},
                       {"activation-other", "this is GELU: pebble was trained with silu", kPage, function<gelu>}},
          .place = place};
}

}  // namespace swiglu

}  // namespace rung::learn
