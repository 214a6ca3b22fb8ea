// The exercises of milestone M6 that compute with numbers in eight bits: bytes, integers, panels.
#include "learn/m6.h"

namespace rung::learn {

// ---- m6-bytes: weights in eight bits ----
namespace byte_kernels {
namespace {

constexpr const char* kPage = "m6-kernels#3--4-fewer-bytes-and-slower";

// scale_of(row, block) is the scale that is taken, value_of(quant) what the quant is taken for.
template <class ScaleOf, class ValueOf>
void with(Out out, In x, Quants q, const Sizes& s, const ScaleOf& scale_of, const ValueOf& value_of) {
  for (std::size_t i = 0; i < out.size(); ++i) {
    const std::size_t r = i % s.rows, t = i / s.rows;
    float sum = 0;
    for (std::size_t b = 0; b < s.blocks(); ++b) {
      const std::int8_t* const quants = &q[r * s.columns + kRoundedBlock * b];
      const float* const values = &x[t * s.columns + kRoundedBlock * b];
      float parts[8] = {};
      for (std::size_t c = 0; c < kRoundedBlock; c += 8) {
        for (std::size_t k = 0; k < 8; ++k) parts[k] += value_of(quants[c + k]) * values[c + k];
      }
      float products = 0;
      for (const float part : parts) products += part;
      sum += scale_of(r, b) * products;
    }
    out[i] = sum;
  }
}
constexpr auto kSigned = [](std::int8_t q) { return static_cast<float>(q); };

void reference(Out out, In x, In scales, Quants q, std::size_t tokens, std::size_t rows, std::size_t columns) {
  const Sizes s{tokens, rows, columns};
  with(out, x, q, s, [&](std::size_t r, std::size_t b) { return scales[r * s.blocks() + b]; }, kSigned);
}
void first_scale(Out out, In x, In scales, Quants q, std::size_t tokens, std::size_t rows, std::size_t columns) {
  const Sizes s{tokens, rows, columns};
  with(out, x, q, s, [&](std::size_t r, std::size_t) { return scales[r * s.blocks()]; }, kSigned);
}
void scale_of_row(Out out, In x, In scales, Quants q, std::size_t tokens, std::size_t rows, std::size_t columns) {
  with(out, x, q, {tokens, rows, columns}, [&](std::size_t r, std::size_t) { return scales[r]; }, kSigned);
}
void scales_of_first_row(Out out, In x, In scales, Quants q, std::size_t tokens, std::size_t rows,
                         std::size_t columns) {
  with(out, x, q, {tokens, rows, columns}, [&](std::size_t, std::size_t b) { return scales[b]; }, kSigned);
}
void unsigned_bytes(Out out, In x, In scales, Quants q, std::size_t tokens, std::size_t rows, std::size_t columns) {
  const Sizes s{tokens, rows, columns};
  with(
      out, x, q, s, [&](std::size_t r, std::size_t b) { return scales[r * s.blocks() + b]; },
      [](std::int8_t quant) { return static_cast<float>(static_cast<std::uint8_t>(quant)); });
}
void no_scale(Out out, In x, In, Quants q, std::size_t tokens, std::size_t rows, std::size_t columns) {
  with(out, x, q, {tokens, rows, columns}, [](std::size_t, std::size_t) { return 1.0f; }, kSigned);
}

// The rung before has floats. They are made of the race's bytes, once.
void tiles_of_floats(Out out, In x, In scales, Quants q, std::size_t tokens, std::size_t rows, std::size_t columns) {
  static std::pair<const std::int8_t*, std::vector<float>> made;
  if (made.first != q.data()) {
    made = {q.data(), std::vector<float>(q.size())};
    for (std::size_t i = 0; i < q.size(); ++i) made.second[i] = scales[i / kRoundedBlock] * static_cast<float>(q[i]);
  }
  float_kernels::raced_tiles(out, x, made.second, {tokens, rows, columns});
}

std::vector<Argument> arguments(std::vector<float> x, Rounded w, const Sizes& s) {
  std::vector<Argument> all{output("out", s.tokens * s.rows, {s.tokens, s.rows}),
                            {"x", std::move(x), {s.tokens, s.columns}},
                            {"scales", std::move(w.scales), {s.rows, s.blocks()}},
                            {"quants", std::move(w.quants), {s.rows, s.columns}}};
  add_sizes(all, s);
  return all;
}

// Rows of `blocks` blocks: in each 2, −4, 10 and then zeros.
std::vector<std::int8_t> three_quants(std::size_t blocks) {
  std::vector<std::int8_t> q(kPanel * blocks * kRoundedBlock);
  for (std::size_t b = 0; b < kPanel * blocks; ++b)
    q[kRoundedBlock * b] = 2, q[kRoundedBlock * b + 1] = -4, q[kRoundedBlock * b + 2] = 10;
  return q;
}

std::vector<Case> by_hand() {
  std::vector<float> x(kRoundedBlock, 1), scales;
  x[2] = 3;
  for (std::size_t r = 0; r < kPanel; ++r) scales.push_back(0.5f * static_cast<float>(r));
  std::vector<float> two_scales;
  for (std::size_t r = 0; r < kPanel; ++r) {
    two_scales.push_back(1);
    two_scales.push_back(static_cast<float>(r));
  }
  const std::vector<float> with_one = multiples(kPanel, 28);
  std::vector<float> with_two = with_one;
  for (float& value : with_two) value += 28;
  return {{.title = "one block: 2, −4, 10 and zeros",
           .arguments = arguments(x, {scales, three_quants(1)}, {1, kPanel, kRoundedBlock}),
           .expected = {{multiples(kPanel, 14)}},
           .arithmetic = "2·1 − 4·1 + 10·3 = 28\nthe scale of row r is r / 2: 28 · r / 2 = 14 · r"},
          {.title = "two blocks with scales of their own",
           .arguments = arguments(joined(x, x), {two_scales, three_quants(2)}, {1, kPanel, 2 * kRoundedBlock}),
           .expected = {{with_two}},
           .arithmetic = "each block is 2·1 − 4·1 + 10·3 = 28\nrow r has the scales 1 and r: 28 + 28 · r"}};
}

std::vector<Argument> random(Random& random) {
  const Sizes s = random_sizes(random);
  std::vector<float> x = floats(random, s.tokens * s.columns);
  return arguments(std::move(x), rounded(floats(random, s.rows * s.columns)), s);
}

void place(Seams& seams, LearnerFunction f) {
  place_linear(
      seams, [](In w, std::size_t) { return rounded(w); },
      [f](Out out, In x, const Rounded& w, const Sizes& s) {
        call(f, out, x, w.scales, w.quants, s.tokens, s.rows, s.columns);
      });
}

Race race() {
  Random random(1);
  std::vector<float> x = floats(random, kRaced.tokens * kRaced.columns);
  return {.arguments = arguments(std::move(x), rounded(floats(random, kRaced.rows * kRaced.columns)), kRaced),
          .operations = kRacedOperations,
          .rivals = {{"the rung before, tiles of floats", function<tiles_of_floats>}}};
}

}  // namespace

Exercise exercise() {
  return {.name = "m6-bytes",
          .reference = learn::reference<reference>(),
          .by_hand = by_hand,
          .random = random,
          .tolerance = 1e-4,
          .mistakes = {{"first-scale-for-the-row",
                        "each block of a row has a scale of its own: the first one's was "
                        "taken for all",
                        kPage, function<first_scale>},
                       {"scales-one-a-row", "a row has columns / 32 scales, not one: scales[r * blocks + b]", kPage,
                        function<scale_of_row>},
                       {"scales-of-the-first-row", "every row took the scales of row 0: scales[r * blocks + b]", kPage,
                        function<scales_of_first_row>},
                       {"bytes-without-sign", "the bytes were read without their sign: −4 became 252", kPage,
                        function<unsigned_bytes>},
                       {"scale-forgotten", "the scales are not used", kPage, function<no_scale>}},
          .place = place,
          .race = race};
}

void raced_bytes(Out out, In x, In scales, Quants q, const Sizes& s) {
  reference(out, x, scales, q, s.tokens, s.rows, s.columns);
}

}  // namespace byte_kernels

// ---- m6-integers: both in eight bits ----
namespace integer_kernels {
namespace {

constexpr const char* kPage = "m6-kernels#4--5-multiply-integers";

// What a block adds, of its whole sum and both scales; where the whole sum begins anew.
template <class Whole, class Term>
void with(Out out, Quants x, Quants w, const Sizes& s, bool per_block, const Term& term) {
  for (std::size_t i = 0; i < out.size(); ++i) {
    const std::size_t r = i % s.rows, t = i / s.rows;
    float sum = 0;
    Whole whole = 0;
    for (std::size_t b = 0; b < s.blocks(); ++b) {
      if (per_block) whole = 0;
      const Quants of_w = w.subspan(r * s.columns + kRoundedBlock * b, kRoundedBlock);
      const Quants of_x = x.subspan(t * s.columns + kRoundedBlock * b, kRoundedBlock);
      for (std::size_t k = 0; k < kRoundedBlock; ++k) whole = static_cast<Whole>(whole + of_w[k] * of_x[k]);
      sum += term(t * s.blocks() + b, r * s.blocks() + b) * static_cast<float>(whole);
    }
    out[i] = sum;
  }
}

void reference(Out out, In x_scales, Quants x, In w_scales, Quants w, std::size_t tokens, std::size_t rows,
               std::size_t columns) {
  with<std::int32_t>(out, x, w, {tokens, rows, columns}, true,
                     [&](std::size_t in_x, std::size_t in_w) { return w_scales[in_w] * x_scales[in_x]; });
}
void sixteen_bits(Out out, In x_scales, Quants x, In w_scales, Quants w, std::size_t tokens, std::size_t rows,
                  std::size_t columns) {
  with<std::int16_t>(out, x, w, {tokens, rows, columns}, true,
                     [&](std::size_t in_x, std::size_t in_w) { return w_scales[in_w] * x_scales[in_x]; });
}
void without_x(Out out, In, Quants x, In w_scales, Quants w, std::size_t tokens, std::size_t rows,
               std::size_t columns) {
  with<std::int32_t>(out, x, w, {tokens, rows, columns}, true,
                     [&](std::size_t, std::size_t in_w) { return w_scales[in_w]; });
}
void without_w(Out out, In x_scales, Quants x, In, Quants w, std::size_t tokens, std::size_t rows,
               std::size_t columns) {
  with<std::int32_t>(out, x, w, {tokens, rows, columns}, true,
                     [&](std::size_t in_x, std::size_t) { return x_scales[in_x]; });
}
void scales_of_first_row(Out out, In x_scales, Quants x, In w_scales, Quants w, std::size_t tokens, std::size_t rows,
                         std::size_t columns) {
  const std::size_t blocks = columns / kRoundedBlock;
  with<std::int32_t>(out, x, w, {tokens, rows, columns}, true,
                     [&](std::size_t in_x, std::size_t in_w) { return w_scales[in_w % blocks] * x_scales[in_x]; });
}
void goes_on(Out out, In x_scales, Quants x, In w_scales, Quants w, std::size_t tokens, std::size_t rows,
             std::size_t columns) {
  with<std::int32_t>(out, x, w, {tokens, rows, columns}, false,
                     [&](std::size_t in_x, std::size_t in_w) { return w_scales[in_w] * x_scales[in_x]; });
}
// The rung before has floats for x.
void bytes(Out out, In x_scales, Quants x, In w_scales, Quants w, std::size_t tokens, std::size_t rows,
           std::size_t columns) {
  static std::vector<float> floats;
  floats.resize(x.size());
  for (std::size_t i = 0; i < x.size(); ++i) floats[i] = x_scales[i / kRoundedBlock] * static_cast<float>(x[i]);
  byte_kernels::raced_bytes(out, floats, w_scales, w, {tokens, rows, columns});
}

}  // namespace

std::vector<Argument> arguments(Rounded x, Rounded w, const Sizes& s) {
  std::vector<Argument> all{output("out", s.tokens * s.rows, {s.tokens, s.rows}),
                            {"x_scales", std::move(x.scales), {s.tokens, s.blocks()}},
                            {"x_quants", std::move(x.quants), {s.tokens, s.columns}},
                            {"w_scales", std::move(w.scales), {s.rows, s.blocks()}},
                            {"w_quants", std::move(w.quants), {s.rows, s.columns}}};
  add_sizes(all, s);
  return all;
}
void raced_integers(Out out, In x_scales, Quants x, In w_scales, Quants w, const Sizes& s) {
  reference(out, x_scales, x, w_scales, w, s.tokens, s.rows, s.columns);
}

// For this exercise and the next, in which weights lie another way: `lay` puts a rounded matrix where it belongs.
using Lay = Rounded (*)(const Rounded& w, std::size_t columns);
Rounded in_rows(const Rounded& w, std::size_t) { return w; }

std::vector<Argument> random_arguments(Random& random, const Sizes& s, Lay lay) {
  Rounded x = rounded(floats(random, s.tokens * s.columns));
  return arguments(std::move(x), lay(rounded(floats(random, s.rows * s.columns)), s.columns), s);
}
void place_laid(Seams& seams, LearnerFunction f, Lay lay) {
  place_linear(
      seams, [lay](In w, std::size_t columns) { return lay(rounded(w), columns); },
      [f](Out out, In x, const Rounded& w, const Sizes& s) {
        const Rounded in = rounded(x);
        call(f, out, in.scales, in.quants, w.scales, w.quants, s.tokens, s.rows, s.columns);
      });
}
Race race_laid(Lay lay, const Rival& before) {
  Random random(1);
  return {.arguments = random_arguments(random, kRaced, lay), .operations = kRacedOperations, .rivals = {before}};
}

namespace {

std::vector<Case> by_hand() {
  std::vector<float> scales;
  for (std::size_t r = 0; r < kPanel; ++r) scales.push_back(0.5f * static_cast<float>(r));
  std::vector<std::int8_t> x(kRoundedBlock), w(kPanel * kRoundedBlock);
  x[0] = 10, x[1] = 3;
  for (std::size_t r = 0; r < kPanel; ++r) w[r * kRoundedBlock] = 2, w[r * kRoundedBlock + 1] = -4;
  const std::size_t two = 2 * kRoundedBlock;
  return {{.title = "one block, two places that are not zero",
           .arguments = arguments({{0.25f}, x}, {scales, w}, {1, kPanel, kRoundedBlock}),
           .expected = {{multiples(kPanel, 1)}},
           .arithmetic = "2·10 − 4·3 = 8\nthe scales are r / 2 and 0.25: 8 · r / 2 · 0.25 = r"},
          {.title = "the largest sum of a block, twice",
           .arguments = arguments({{1, 0.5f}, std::vector<std::int8_t>(two, 127)},
                                  {std::vector<float>(2 * kPanel, 1), std::vector<std::int8_t>(kPanel * two, 127)},
                                  {1, kPanel, two}),
           .expected = {{std::vector<float>(kPanel, 774192)}},
           .arithmetic = "32 · 127 · 127 = 516128 in each block\n516128 · 1 · 1 + 516128 · 1 · 0.5 = 774192"}};
}

std::vector<Argument> random(Random& random) { return random_arguments(random, random_sizes(random), in_rows); }
void place(Seams& seams, LearnerFunction f) { place_laid(seams, f, in_rows); }
Race race() { return race_laid(in_rows, {"the rung before, bytes", function<bytes>}); }

}  // namespace

Exercise exercise() {
  return {.name = "m6-integers",
          .reference = learn::reference<reference>(),
          .by_hand = by_hand,
          .random = random,
          .tolerance = 1e-4,
          .mistakes = {{"sum-too-small", "a block's sum may be 516128: it does not fit into 16 bits", kPage,
                        function<sixteen_bits>},
                       {"scale-of-x-forgotten", "the scale of x is not used", kPage, function<without_x>},
                       {"scale-of-w-forgotten", "the scale of w is not used", kPage, function<without_w>},
                       {"scales-of-the-first-row", "every row took the scales of row 0: w_scales[r * blocks + b]",
                        kPage, function<scales_of_first_row>},
                       {"whole-sum-not-reset", "the whole sum goes on into the next block: it begins at 0 for each",
                        kPage, function<goes_on>}},
          .place = place,
          .race = race};
}

}  // namespace integer_kernels

// ---- m6-panels: sixteen rows side by side ----
namespace panel_kernels {
namespace {

constexpr const char* kPage = "m6-kernels#5--6-a-row-a-lane";

// Takes quant and scale where `quant_at(row, column)` and `scale_at(row, block)` say.
template <class QuantAt, class ScaleAt>
void with(Out out, In x_scales, Quants x, In w_scales, Quants w, const Sizes& s, const QuantAt& quant_at,
          const ScaleAt& scale_at) {
  Rounded rows{std::vector<float>(w_scales.size()), std::vector<std::int8_t>(w.size())};
  for (std::size_t i = 0; i < w.size(); ++i) rows.quants[i] = w[quant_at(i / s.columns, i % s.columns)];
  for (std::size_t i = 0; i < w_scales.size(); ++i) rows.scales[i] = w_scales[scale_at(i / s.blocks(), i % s.blocks())];
  integer_kernels::raced_integers(out, x_scales, x, rows.scales, rows.quants, s);
}

void reference(Out out, In x_scales, Quants x, In w_scales, Quants w, std::size_t tokens, std::size_t rows,
               std::size_t columns) {
  with(
      out, x_scales, x, w_scales, w, {tokens, rows, columns},
      [&](std::size_t row, std::size_t column) { return in_panels(row, column, columns); },
      [&](std::size_t row, std::size_t block) { return scale_in_panels(row, block, columns / kRoundedBlock); });
}
void quants_as_in_a_file(Out out, In x_scales, Quants x, In w_scales, Quants w, std::size_t tokens, std::size_t rows,
                         std::size_t columns) {
  with(
      out, x_scales, x, w_scales, w, {tokens, rows, columns},
      [&](std::size_t row, std::size_t column) { return row * columns + column; },
      [&](std::size_t row, std::size_t block) { return scale_in_panels(row, block, columns / kRoundedBlock); });
}
void scales_as_in_a_file(Out out, In x_scales, Quants x, In w_scales, Quants w, std::size_t tokens, std::size_t rows,
                         std::size_t columns) {
  with(
      out, x_scales, x, w_scales, w, {tokens, rows, columns},
      [&](std::size_t row, std::size_t column) { return in_panels(row, column, columns); },
      [&](std::size_t row, std::size_t block) { return row * (columns / kRoundedBlock) + block; });
}
void columns_first(Out out, In x_scales, Quants x, In w_scales, Quants w, std::size_t tokens, std::size_t rows,
                   std::size_t columns) {
  with(
      out, x_scales, x, w_scales, w, {tokens, rows, columns},
      [&](std::size_t row, std::size_t column) {
        return ((row / kPanel * columns / 4 + column / 4) * 4 + column % 4) * kPanel + row % kPanel;
      },
      [&](std::size_t row, std::size_t block) { return scale_in_panels(row, block, columns / kRoundedBlock); });
}
// The rung before has its rows one after the other. They are made of the race's panels, once.
void integers(Out out, In x_scales, Quants x, In w_scales, Quants w, std::size_t tokens, std::size_t rows,
              std::size_t columns) {
  static std::pair<const std::int8_t*, Rounded> made;
  const Sizes s{tokens, rows, columns};
  if (made.first != w.data()) {
    made = {w.data(), {std::vector<float>(w_scales.size()), std::vector<std::int8_t>(w.size())}};
    for (std::size_t i = 0; i < w.size(); ++i) {
      made.second.quants[i] = w[in_panels(i / columns, i % columns, columns)];
    }
    for (std::size_t i = 0; i < w_scales.size(); ++i) {
      made.second.scales[i] = w_scales[scale_in_panels(i / s.blocks(), i % s.blocks(), s.blocks())];
    }
  }
  integer_kernels::raced_integers(out, x_scales, x, made.second.scales, made.second.quants, s);
}

// The arguments of the rung before, the weights laid out as panels: a panel's shape is that of 16 rows.
std::vector<Argument> arguments(Rounded x, const Rounded& w, const Sizes& s) {
  return integer_kernels::arguments(std::move(x), panels_of(w, s.columns), s);
}

std::vector<Case> by_hand() {
  std::vector<std::int8_t> x(kRoundedBlock), w(kPanel * kRoundedBlock);
  for (std::size_t i = 0; i < 4; ++i) x[i] = static_cast<std::int8_t>(i + 1);
  for (std::size_t i = 0; i < w.size(); ++i) w[i] = static_cast<std::int8_t>(i / kRoundedBlock);
  std::vector<float> scales;
  for (std::size_t r = 0; r < kPanel; ++r) scales.push_back(static_cast<float>(r) * 0.5f);
  std::vector<std::int8_t> counted(kPanel * kRoundedBlock);
  for (std::size_t i = 0; i < counted.size(); ++i) counted[i] = static_cast<std::int8_t>(i % kRoundedBlock);
  return {{.title = "all weights of row r are r",
           .arguments = arguments({{1}, x}, {std::vector<float>(kPanel, 1), w}, {1, kPanel, kRoundedBlock}),
           .expected = {{multiples(kPanel, 10)}},
           .arithmetic = "x is 1, 2, 3, 4 and zeros\nlane r: r·1 + r·2 + r·3 + r·4 = 10 · r"},
          {.title = "all rows are 0, 1, 2, … 31, the scale of row r is r / 2",
           .arguments = arguments({{1}, x}, {scales, counted}, {1, kPanel, kRoundedBlock}),
           .expected = {{multiples(kPanel, 10)}},
           .arithmetic = "0·1 + 1·2 + 2·3 + 3·4 = 20\n20 · r / 2 = 10 · r"}};
}

std::vector<Argument> random(Random& random) {
  return integer_kernels::random_arguments(random, random_sizes(random), panels_of);
}
void place(Seams& seams, LearnerFunction f) { integer_kernels::place_laid(seams, f, panels_of); }
Race race() { return integer_kernels::race_laid(panels_of, {"the rung before, integers", function<integers>}); }

}  // namespace

Exercise exercise() {
  return {.name = "m6-panels",
          .reference = learn::reference<reference>(),
          .by_hand = by_hand,
          .random = random,
          .tolerance = 1e-4,
          .mistakes = {{"rows-as-in-a-file", "the quants were read row after row: here 16 rows lie side by side", kPage,
                        function<quants_as_in_a_file>},
                       {"scales-as-in-a-file", "the scales were read row after row: those of 16 rows lie side by side",
                        kPage, function<scales_as_in_a_file>},
                       {"columns-before-rows",
                        "the four columns of a row lie together, then those of the next: [16][4], not [4][16]", kPage,
                        function<columns_first>}},
          .place = place,
          .race = race};
}

}  // namespace panel_kernels

std::vector<Exercise> rounded_exercises() {
  std::vector<Exercise> all{byte_kernels::exercise(), integer_kernels::exercise(), panel_kernels::exercise()};
  for (Exercise& exercise : all) exercise.rounds = true;
  return all;
}

}  // namespace rung::learn
