// The exercises of milestone M6, the ladder of kernels: what must come out, the classic mistakes, the place in the
// engine, and the rung before to race with. Here the two that compute with floats; m6_rounded.cpp has the others. All
// five are the linear layers of the fast device.
#include <algorithm>
#include <cstring>

#include "learn/m6.h"

namespace rung::learn {

// ---- m6-vectors and m6-tiles: floats ----
namespace float_kernels {

using Four = float __attribute__((vector_size(16)));

namespace {

constexpr const char* kVectorsPage = "m6-kernels#1--2-dont-wait-for-the-adder";
constexpr const char* kTilesPage = "m6-kernels#2--3-use-what-you-have-loaded";

void reference(Out out, In x, In w, std::size_t tokens, std::size_t rows, std::size_t columns) {
  linear::reference(out, x, w, tokens, columns, rows);
}
void naive(Out out, In x, In w, std::size_t tokens, std::size_t rows, std::size_t columns) {
  for (std::size_t i = 0; i < tokens * rows; ++i) {
    float sum = 0;
    for (std::size_t c = 0; c < columns; ++c) sum += w[i % rows * columns + c] * x[i / rows * columns + c];
    out[i] = sum;
  }
}
// Four rows and two tokens at a time, the sums in registers: the third rung of bench/ladder/.
void tiles(Out out, In x, In w, std::size_t tokens, std::size_t rows, std::size_t columns) {
  const auto load = [](const float* p) {
    Four four;
    std::memcpy(&four, p, sizeof four);
    return four;
  };
  for (std::size_t r = 0; r < rows; r += 4) {
    for (std::size_t t = 0; t < tokens; t += 2) {
      const std::size_t u = std::min(t + 1, tokens - 1);
      Four sums[8] = {};
      for (std::size_t c = 0; c < columns; c += 4) {
        const Four left = load(&x[t * columns + c]), right = load(&x[u * columns + c]);
        for (std::size_t k = 0; k < 4; ++k) {
          const Four four = load(&w[(r + k) * columns + c]);
          sums[k] += four * left;
          sums[4 + k] += four * right;
        }
      }
      for (std::size_t k = 0; k < 8; ++k) {
        out[(k < 4 ? t : u) * rows + r + k % 4] = (sums[k][0] + sums[k][1]) + (sums[k][2] + sums[k][3]);
      }
    }
  }
}
// The sums of the columns that `counts` says.
template <class Counts>
void some(Out out, In x, In w, std::size_t rows, std::size_t columns, const Counts& counts) {
  for (std::size_t i = 0; i < out.size(); ++i) {
    float sum = 0;
    for (std::size_t c = 0; c < columns; ++c) {
      if (counts(c)) sum += w[i % rows * columns + c] * x[i / rows * columns + c];
    }
    out[i] = sum;
  }
}
void one_lane(Out out, In x, In w, std::size_t, std::size_t rows, std::size_t columns) {
  some(out, x, w, rows, columns, [](std::size_t c) { return c % 4 == 0; });
}
void skipped(Out out, In x, In w, std::size_t, std::size_t rows, std::size_t columns) {
  some(out, x, w, rows, columns, [](std::size_t c) { return c % 16 < 4; });
}
void first_sixteen(Out out, In x, In w, std::size_t, std::size_t rows, std::size_t columns) {
  some(out, x, w, rows, columns, [](std::size_t c) { return c < 16; });
}
void never_reset(Out out, In x, In w, std::size_t tokens, std::size_t rows, std::size_t columns) {
  reference(out, x, w, tokens, rows, columns);
  for (std::size_t i = 1; i < out.size(); ++i) out[i] += out[i - 1];
}
void odd_one(Out out, In x, In w, std::size_t tokens, std::size_t rows, std::size_t columns) {
  reference(out.first(tokens / 2 * 2 * rows), x, w, tokens / 2 * 2, rows, columns);
}
void one_token(Out out, In x, In w, std::size_t tokens, std::size_t rows, std::size_t columns) {
  reference(out, x, w, tokens, rows, columns);
  for (std::size_t t = 1; t < tokens; t += 2) std::copy_n(&out[(t - 1) * rows], rows, &out[t * rows]);
}
void transposed(Out out, In x, In w, std::size_t tokens, std::size_t rows, std::size_t columns) {
  std::vector<float> right(out.size());
  reference(right, x, w, tokens, rows, columns);
  for (std::size_t i = 0; i < right.size(); ++i) out[i % rows * tokens + i / rows] = right[i];
}

std::vector<Argument> arguments(std::vector<float> x, std::vector<float> w, const Sizes& s) {
  std::vector<Argument> all{output("out", s.tokens * s.rows, {s.tokens, s.rows}),
                            {"x", std::move(x), {s.tokens, s.columns}},
                            {"w", std::move(w), {s.rows, s.columns}}};
  add_sizes(all, s);
  return all;
}

std::vector<Case> by_hand() {
  return {{.title = "one token: x is 1, 2, … 32",
           .arguments = arguments(counting(kRoundedBlock), row_numbers(), {1, kPanel, kRoundedBlock}),
           .expected = {{multiples(kPanel, 528)}},
           .arithmetic = "all weights of row r are r; 1 + 2 + … + 32 = 528\nout[r] = 528 · r"},
          {.title = "three tokens",
           .arguments = arguments(joined(joined(std::vector<float>(kRoundedBlock, 1), counting(kRoundedBlock)),
                                         std::vector<float>(kRoundedBlock, -2)),
                                  row_numbers(), {3, kPanel, kRoundedBlock}),
           .expected = {{joined(joined(multiples(kPanel, 32), multiples(kPanel, 528)), multiples(kPanel, -64))}},
           .arithmetic = "token 0 is all 1: 32 · r\ntoken 1 is 1, 2, … 32: 528 · r\ntoken 2 is all −2: −64 · r"}};
}

std::vector<Argument> random(Random& random) {
  const Sizes s = random_sizes(random);
  std::vector<float> x = floats(random, s.tokens * s.columns);
  return arguments(std::move(x), floats(random, s.rows * s.columns), s);
}

void place(Seams& seams, LearnerFunction f) {
  seams.device = "cpu";
  seams.verbs.linear = [f](Ops& inner, Matrix out, ConstMatrix x, const PackedMatrix& w) {
    if (!has_whole_blocks(w)) return inner.do_linear(out, x, w);
    std::vector<float> scratch;
    call(f, out.span(), x.span(), floats_of(w, scratch), x.extent<Rows>(), w.rows, w.columns);
    add_bias(out, w);
  };
}

Race race(std::string_view title, LearnerFunction rival) {
  Random random(1);
  std::vector<float> x = floats(random, kRaced.tokens * kRaced.columns);
  return {.arguments = arguments(std::move(x), floats(random, kRaced.rows * kRaced.columns), kRaced),
          .operations = kRacedOperations,
          .rivals = {{title, rival}}};
}
Race race_of_vectors() { return race("the rung before, one sum that waits", function<naive>); }
Race race_of_tiles() { return race("the rung before, vectors", function<reference>); }

}  // namespace

Exercise vectors() {
  return {
      .name = "m6-vectors",
      .reference = learn::reference<reference>(),
      .by_hand = by_hand,
      .random = random,
      .tolerance = 1e-4,  // other orders of up to 128 additions
      .mistakes = {{"one-lane", "one lane of four is the result: add all four lanes", kVectorsPage, function<one_lane>},
                   {"numbers-skipped", "of sixteen numbers four were used: the step is as wide as what is loaded",
                    kVectorsPage, function<skipped>},
                   {"first-sixteen", "only the first sixteen numbers of a row were used", kVectorsPage,
                    function<first_sixteen>},
                   {"sum-not-reset", "the sums go on from row to row: they begin at 0 for each", kVectorsPage,
                    function<never_reset>}},
      .place = place,
      .race = race_of_vectors};
}

Exercise tile_exercise() {
  return {
      .name = "m6-tiles",
      .reference = learn::reference<reference>(),
      .by_hand = by_hand,
      .random = random,
      .tolerance = 1e-4,
      .mistakes = {{"last-token-forgotten", "with an odd number of tokens the last has no partner, and was left out",
                    kTilesPage, function<odd_one>},
                   {"first-token-for-both", "both tokens of a tile were given the first one's numbers", kTilesPage,
                    function<one_token>},
                   {"output-transposed", "out is written as [rows, tokens]: it is out[t * rows + r]", kTilesPage,
                    function<transposed>},
                   {"one-lane", "one lane of four is the result: add all four lanes", kTilesPage, function<one_lane>}},
      .place = place,
      .race = race_of_tiles};
}

void raced_tiles(Out out, In x, In w, const Sizes& s) { tiles(out, x, w, s.tokens, s.rows, s.columns); }

}  // namespace float_kernels

std::vector<Exercise> m6_exercises() {
  std::vector<Exercise> all{float_kernels::vectors(), float_kernels::tile_exercise()};
  for (Exercise& exercise : rounded_exercises()) all.push_back(std::move(exercise));
  return all;
}

}  // namespace rung::learn
