// Wrong numbers beside right ones → what a person would see who looked at both for long enough: "every number is √192
// times too small", "only the odd places are wrong", "the rows stand one place too late".
#pragma once

#include <cstddef>
#include <string>
#include <string_view>
#include <vector>

namespace rung::learn {

enum class Pattern {
  length,           // more or fewer than expected
  not_a_number,     // NaN, or infinite
  all_zero,         //
  unchanged,        // an input, as it came
  sign,             // the sign flipped, of all or of some
  factor,           // all by the same factor
  factor_of_input,  // by an input, place by place: a weight that was forgotten
  factor_by_row,    // each row by its own
  offset,           // the same added to all
  offset_of_input,  // an input added, or not added
  shifted,          // some places too early or too late
  reversed,         //
  transposed,       // rows read as columns
  byte_order,       // the bytes, or the halves of a byte, the other way round
  reordered,        // the right numbers in other places
  rounding,         // whole numbers, wrong by one here and there
  some_places,      // every second, or the second half of each row
  beyond,           // right up to a place, then wrong
  magnitude,        // far too large or too small, by no single factor
};
std::string_view name_of(Pattern pattern);  // "constant-factor"

struct Input {
  std::string name;
  std::vector<double> values;
};

// Two lists of numbers that should be the same.
struct Beside {
  std::vector<double> expected, got;
  std::vector<std::size_t> shape = {};  // {3, 4}: three rows; empty: one row
  std::vector<Input> inputs = {};       // what the numbers were made of
  unsigned bits = 0;                    // of whole numbers (bytes of a text: 8); 0: floats
  std::string row = "row";              // what a row is: "token"
  double tolerance = 1e-4;              // |got − expected| ≤ tolerance·|expected| is right; whole numbers: equal
};

struct FoundPattern {
  Pattern pattern;
  std::string sentence;
};

// Those that are there, the most telling first. None: nothing differs, or it follows no pattern known here.
std::vector<FoundPattern> find_patterns(const Beside& beside);

}  // namespace rung::learn
