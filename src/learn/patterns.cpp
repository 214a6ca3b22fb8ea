#include "learn/patterns.h"

#include <fmt/format.h>

#include <algorithm>
#include <array>
#include <cmath>
#include <cstdint>
#include <optional>

namespace rung::learn {

namespace finders {
namespace {

using Sentence = std::optional<std::string>;
using Values = std::vector<double>;

double root_mean_square(const Values& values) {
  double squares = 0;
  for (const double v : values) squares += v * v;
  return values.empty() ? 0 : std::sqrt(squares / static_cast<double>(values.size()));
}

std::string number(double value) { return fmt::format("{:.4g}", value); }

// A pattern is allowed ten times what a right number is, since learners compute in another order.
class Look {
 public:
  explicit Look(const Beside& beside)
      : b(beside), columns_(columns_of(beside)), small_(1e-5 * root_mean_square(beside.expected)) {}

  const Beside& b;
  std::size_t size() const { return b.expected.size(); }
  std::size_t columns() const { return columns_; }
  std::size_t rows() const { return columns_ == 0 ? 0 : size() / columns_; }

  bool alike(double x, double y) const {
    if (std::isnan(x) || std::isnan(y)) return std::isnan(x) && std::isnan(y);
    if (x == y || b.bits != 0) return x == y;
    return std::abs(x - y) <= 10 * b.tolerance * std::max(std::abs(x), std::abs(y)) + small_;
  }
  bool right(std::size_t i) const {
    if (std::isnan(b.expected[i]) && std::isnan(b.got[i])) return true;
    if (b.expected[i] == b.got[i]) return true;
    return b.bits == 0 && std::abs(b.got[i] - b.expected[i]) <= b.tolerance * std::abs(b.expected[i]) + small_;
  }
  // Whether got[i] is f(i) for all i, which is not what was expected.
  template <class F>
  bool all(const F& f) const {
    for (std::size_t i = 0; i < size(); ++i) {
      if (!alike(b.got[i], f(i))) return false;
    }
    return true;
  }

 private:
  static std::size_t columns_of(const Beside& beside) {
    std::size_t all = 1;
    for (const std::size_t n : beside.shape) all *= n;
    return beside.shape.size() > 1 && all == beside.expected.size() ? beside.shape.back() : beside.expected.size();
  }
  std::size_t columns_;
  double small_;  // nearly nothing, among these numbers
};

// "√192" of 13.856: the root of a length, the length itself, or a small whole number; or their inverses.
std::string known_number(double factor, const Beside& b) {
  const auto near = [&](double value) { return std::abs(factor - value) <= 2e-4 * value; };
  std::vector<std::size_t> lengths{b.expected.size()};
  lengths.insert(lengths.end(), b.shape.begin(), b.shape.end());
  for (const Input& input : b.inputs) lengths.push_back(input.values.size());
  for (const std::size_t n : lengths) {
    if (n > 1 && near(std::sqrt(static_cast<double>(n)))) return fmt::format("√{}", n);
    if (n > 1 && near(static_cast<double>(n))) return fmt::format("{}, a number of elements", n);
  }
  for (const int n : {2, 3, 4, 8, 16, 32, 64, 127, 128, 255, 256, 65536}) {
    if (near(n)) return std::to_string(n);
    if (n < 100 && near(std::sqrt(n))) return fmt::format("√{}", n);
  }
  for (const Input& input : b.inputs) {
    if (input.values.size() != 1) continue;
    const double value = std::abs(input.values[0]);
    if (value != 0 && value != 1 && (near(value) || near(1 / value))) return input.name;
  }
  if (near(std::exp(1.0))) return "e";
  if (near(std::log(2.0)) || near(1 / std::log(2.0))) return "ln 2: another logarithm's base";
  return "";
}

Sentence length(const Look& look) {
  const Values &e = look.b.expected, &g = look.b.got;
  if (e.size() == g.size()) return {};
  const std::size_t both = std::min(e.size(), g.size()), off = std::max(e.size(), g.size()) - both;
  const bool same_beginning = std::equal(e.begin(), e.begin() + static_cast<std::ptrdiff_t>(both), g.begin());
  const bool same_end = std::equal(e.rbegin(), e.rbegin() + static_cast<std::ptrdiff_t>(both), g.rbegin());
  const std::string counts = fmt::format("{} instead of {}", g.size(), e.size());
  if (g.empty()) return fmt::format("nothing came out, where {} were expected", e.size());
  if (e.empty()) return "something came out, where nothing was expected";
  if (g.size() < e.size()) {
    if (same_beginning)
      return fmt::format("it stops too early, {}: the last {} missing", counts, off == 1 ? "is" : "are");
    if (same_end) return fmt::format("it begins too late, {}: the first {} missing", counts, off == 1 ? "is" : "are");
    return fmt::format("too few: {}", counts);
  }
  if (same_beginning) return fmt::format("it goes on too long, {}: what comes first is right", counts);
  if (same_end) return fmt::format("something stands in front that does not belong there: {}", counts);
  return fmt::format("too many: {}", counts);
}

Sentence not_a_number(const Look& look) {
  std::size_t nans = 0, infinite = 0, first = look.size();
  for (std::size_t i = 0; i < look.size(); ++i) {
    if (look.right(i) || std::isfinite(look.b.got[i])) continue;
    (std::isnan(look.b.got[i]) ? nans : infinite)++;
    first = std::min(first, i);
  }
  // What an output holds before it is written is NaN.
  constexpr const char* kWhy = "nothing was written there, or += to what nobody had set to 0, or 0 was divided by 0";
  if (nans == look.size()) return fmt::format("every number is NaN: {}", kWhy);
  if (nans > 0 && first + nans == look.size()) return fmt::format("NaN from place {} on: {}", first, kWhy);
  if (nans > 0) {
    return fmt::format("{} of {} are NaN, the first at place {}: not written, 0 / 0, or ∞ − ∞", nans, look.size(),
                       first);
  }
  if (infinite == 0) return {};
  if (look.b.got[first] < 0) return fmt::format("−∞ at place {}: written there, or from −1 / 0 or std::log(0)", first);
  return fmt::format("infinite at place {}: a division by 0, or too large a power (e^89 is more than a float holds)",
                     first);
}

Sentence all_zero(const Look& look) {
  if (!look.all([](std::size_t) { return 0.0; })) return {};
  return "all zero: nothing was added up, or a whole-number division gave 0";
}

Sentence unchanged(const Look& look) {
  for (const Input& input : look.b.inputs) {
    if (input.values.size() == look.size() && look.all([&](std::size_t i) { return input.values[i]; })) {
      return fmt::format("this is {}, unchanged", input.name);
    }
  }
  return {};
}

Sentence sign(const Look& look) {
  if (look.all([&](std::size_t i) { return -look.b.expected[i]; })) return "the sign is flipped, everywhere";
  if (!look.all([&](std::size_t i) { return std::copysign(look.b.expected[i], look.b.got[i]); })) return {};
  return "the sizes are right, some signs are flipped";
}

// got = c·expected, best; nullopt where expected is all zero.
std::optional<double> best_factor(const Look& look, std::size_t first, std::size_t end) {
  double both = 0, squares = 0;
  for (std::size_t i = first; i < end; ++i) {
    both += look.b.got[i] * look.b.expected[i];
    squares += look.b.expected[i] * look.b.expected[i];
  }
  return squares > 0 ? std::optional(both / squares) : std::nullopt;
}

bool is_factor(const Look& look, double factor, std::size_t first, std::size_t end) {
  for (std::size_t i = first; i < end; ++i) {
    if (!look.alike(look.b.got[i], factor * look.b.expected[i])) return false;
  }
  return true;
}

Sentence factor(const Look& look) {
  const std::optional<double> c = best_factor(look, 0, look.size());
  if (!c || *c == 0 || !is_factor(look, *c, 0, look.size())) return {};
  const bool larger = std::abs(*c) > 1;
  const double times = larger ? std::abs(*c) : 1 / std::abs(*c);
  const std::string known = known_number(times, look.b);
  const bool telling = !known.empty() && known != number(times);
  if (look.size() == 1 && !telling) return {};  // any number is some number times another
  return fmt::format("{} is {} times too {}{}{}", look.size() == 1 ? "it" : "every number", number(times),
                     larger ? "large" : "small", telling ? fmt::format(", that is {}", known) : "",
                     *c < 0 ? ", and its sign flipped" : "");
}

// Of the input itself where it is as long, else of one that is as long as a row.
std::optional<double> input_at(const Input& input, const Look& look, std::size_t i) {
  const std::size_t n = input.values.size();
  if (n < 2 || (n != look.size() && n != look.columns())) return {};
  return input.values[i % n];
}

Sentence factor_of_input(const Look& look) {
  for (const Input& input : look.b.inputs) {
    if (!input_at(input, look, 0)) continue;
    const auto value = [&](std::size_t i) { return *input_at(input, look, i); };
    bool missing = true, twice = true, all_zero = true;
    for (std::size_t i = 0; i < look.size(); ++i) {
      all_zero &= look.b.got[i] == 0;  // an input of zeros explains nothing
      missing &= look.alike(look.b.got[i] * value(i), look.b.expected[i]);
      twice &= look.alike(look.b.got[i], look.b.expected[i] * value(i));
    }
    if (missing) return fmt::format("every number times its {} would be right: {} is not used", input.name, input.name);
    if (twice && !all_zero) return fmt::format("every number is multiplied by its {} once too often", input.name);
  }
  return {};
}

Sentence factor_by_row(const Look& look) {
  if (look.rows() < 2 || look.columns() < 2) return {};
  for (std::size_t r = 0; r < look.rows(); ++r) {
    const std::size_t first = r * look.columns(), end = first + look.columns();
    const std::optional<double> c = best_factor(look, first, end);
    if (!c || *c == 0 || !is_factor(look, *c, first, end)) return {};
  }
  return fmt::format("each {0} is off by a factor of its own: what a {0} is divided by is wrong", look.b.row);
}

Sentence offset(const Look& look) {
  if (look.size() < 2) return {};
  const double c = look.b.got[0] - look.b.expected[0];
  if (c == 0 || !look.all([&](std::size_t i) { return look.b.expected[i] + c; })) return {};
  return fmt::format("every number is {} too {}", number(std::abs(c)), c > 0 ? "large" : "small");
}

Sentence offset_of_input(const Look& look) {
  for (const Input& input : look.b.inputs) {
    if (!input_at(input, look, 0)) continue;
    const auto value = [&](std::size_t i) { return *input_at(input, look, i); };
    if (look.all([&](std::size_t i) { return look.b.expected[i] - value(i); })) {
      return fmt::format("{} is missing: added to what came out, it would be right", input.name);
    }
    if (look.all([&](std::size_t i) { return look.b.expected[i] + value(i); })) {
      return fmt::format("{} is added once too often", input.name);
    }
  }
  return {};
}

// got[i] = expected[i − by] wherever both are there.
bool is_shifted(const Look& look, std::ptrdiff_t by) {
  const auto n = static_cast<std::ptrdiff_t>(look.size());
  if (n - std::abs(by) < 2) return false;
  bool varied = false;  // in equal numbers a shift is nothing
  for (std::ptrdiff_t i = std::max<std::ptrdiff_t>(0, by); i < std::min(n, n + by); ++i) {
    const auto to = static_cast<std::size_t>(i), from = static_cast<std::size_t>(i - by);
    if (!look.alike(look.b.got[to], look.b.expected[from])) return false;
    varied |= !look.alike(look.b.expected[to], look.b.expected[from]);
  }
  return varied;
}

Sentence shifted(const Look& look) {
  const auto columns = static_cast<std::ptrdiff_t>(look.columns());
  for (const std::ptrdiff_t by : {1, -1, 2, -2, 3, -3, 4, -4}) {
    const char* const direction = by > 0 ? "late" : "early";
    const auto places = std::abs(by);
    if (is_shifted(look, by)) {
      return fmt::format("every number stands {} too {}: an index is off by {}",
                         places == 1 ? "one place" : fmt::format("{} places", places), direction, places);
    }
    if (look.rows() > 2 && is_shifted(look, by * columns)) {
      return fmt::format("every {} stands {} too {}: an index is off by {}", look.b.row,
                         places == 1 ? "one" : std::to_string(places), direction, places);
    }
  }
  return {};
}

Sentence reversed(const Look& look) {
  if (look.size() < 2 || !look.all([&](std::size_t i) { return look.b.expected[look.size() - 1 - i]; })) return {};
  return "the right numbers, from the last to the first";
}

// Rows of `width` numbers, each of which holds [a, b] and should hold [b, a].
bool is_transposed(const Look& look, std::size_t width, std::size_t a) {
  const std::size_t b = width / a;
  return look.all([&](std::size_t i) {
    const std::size_t first = i - i % width, in_row = i % width;
    return look.b.expected[first + in_row % b * a + in_row / b];
  });
}

Sentence transposed(const Look& look) {
  std::vector<std::size_t> widths{look.size()};
  if (look.rows() > 1) widths.push_back(look.columns());
  for (const std::size_t width : widths) {
    for (std::size_t a = 2; a * 2 <= width; ++a) {
      if (width % a != 0 || !is_transposed(look, width, a)) continue;
      return fmt::format("rows and columns are exchanged: what came out is laid out [{}, {}] instead of [{}, {}]{}", a,
                         width / a, width / a, a, width == look.size() ? "" : fmt::format(" in each {}", look.b.row));
    }
  }
  return {};
}

Sentence byte_order(const Look& look) {
  const auto swapped = [&](double value) -> double {
    const auto v = static_cast<std::uint32_t>(static_cast<std::int64_t>(value));
    if (look.b.bits == 8) return (v >> 4 & 0xf) | (v & 0xf) << 4;
    if (look.b.bits == 16) return (v >> 8 & 0xff) | (v & 0xff) << 8;
    return v >> 24 | (v >> 8 & 0xff00) | (v << 8 & 0xff0000) | v << 24;
  };
  if (look.b.bits == 0 || !look.all([&](std::size_t i) { return swapped(look.b.expected[i]); })) return {};
  return look.b.bits == 8 ? "the two halves of each byte are exchanged"
                          : "the bytes of each number are the other way round";
}

Sentence reordered(const Look& look) {
  if (look.size() < 3) return {};
  Values e = look.b.expected, g = look.b.got;
  std::sort(e.begin(), e.end());
  std::sort(g.begin(), g.end());
  for (std::size_t i = 0; i < e.size(); ++i) {
    if (!look.alike(e[i], g[i])) return {};
  }
  return "these are the right numbers, in another order";
}

Sentence rounding(const Look& look) {
  if (look.b.bits == 0) return {};
  std::size_t wrong = 0;
  for (std::size_t i = 0; i < look.size(); ++i) {
    const double off = std::abs(look.b.got[i] - look.b.expected[i]);
    if (off > 1) return {};
    wrong += off != 0;
  }
  return fmt::format("{} of {} are wrong by one: rounded another way", wrong, look.size());
}

std::vector<std::size_t> wrong_places(const Look& look) {
  std::vector<std::size_t> wrong;
  for (std::size_t i = 0; i < look.size(); ++i) {
    if (!look.right(i)) wrong.push_back(i);
  }
  return wrong;
}

// Whether wrong are just those whose place in a period is one of `in`; nearly all of them.
template <class In>
bool just_those(const Look& look, const std::vector<std::size_t>& wrong, const In& in) {
  std::size_t members = 0;
  for (std::size_t i = 0; i < look.size(); ++i) members += in(i);
  return members < look.size() && 4 * wrong.size() >= 3 * members && std::all_of(wrong.begin(), wrong.end(), in);
}

Sentence some_places(const Look& look) {
  const std::vector<std::size_t> wrong = wrong_places(look);
  if (wrong.empty() || wrong.size() == look.size() || look.size() < 4) return {};
  const std::size_t columns = look.columns();
  const auto is = [&](const auto& in) { return just_those(look, wrong, in); };
  if (is([](std::size_t i) { return i % 2 == 1; })) return "only the odd places are wrong";
  if (is([](std::size_t i) { return i % 2 == 0; })) return "only the even places are wrong";
  if (is([](std::size_t i) { return i / 2 % 2 == 1; })) return "only the odd pairs are wrong";
  if (is([](std::size_t i) { return i / 2 % 2 == 0; })) return "only the even pairs are wrong";
  const std::string where = look.rows() > 1 ? fmt::format(" of each {}", look.b.row) : "";
  if (columns >= 2) {
    if (is([&](std::size_t i) { return i % columns >= columns - columns / 2; })) {
      return fmt::format("only the second half{} is wrong", where);
    }
    if (is([&](std::size_t i) { return i % columns < columns / 2; })) {
      return fmt::format("only the first half{} is wrong", where);
    }
    if (look.rows() > 1 && is([&](std::size_t i) { return i % columns == columns - 1; })) {
      return fmt::format("only the last place{} is wrong", where);
    }
    if (look.rows() > 1 && is([&](std::size_t i) { return i % columns == 0; })) {
      return fmt::format("only the first place{} is wrong", where);
    }
  }
  if (wrong.size() == 1) {
    const std::size_t at = wrong[0];
    return at + 1 == look.size() ? "only the last one is wrong"
           : at == 0             ? "only the first one is wrong"
                                 : fmt::format("only one is wrong, at place {}", at);
  }
  return {};
}

Sentence beyond(const Look& look) {
  const std::vector<std::size_t> wrong = wrong_places(look);
  if (wrong.empty() || wrong[0] == 0) return {};
  const bool by_row = look.rows() > 1;
  const std::size_t unit = by_row ? look.columns() : 1, first = wrong[0] / unit, count = look.size() / unit;
  const std::string what = by_row ? look.b.row : "place";
  if (first == 0) return {};
  std::size_t last_right = 0, touched = 0;  // units behind the first wrong one that have something wrong
  for (std::size_t u = first; u < count; ++u) {
    const bool has = std::any_of(wrong.begin(), wrong.end(), [&](std::size_t i) { return i / unit == u; });
    has ? ++touched : last_right = u;
  }
  if (3 * (count - first) > 4 * touched) return {};
  if (first + 1 == count) return fmt::format("only the last {} is wrong", what);
  for (const std::size_t group : {256u, 128u, 64u, 32u, 16u, 8u, 4u}) {
    if (count - first < group && first % group == 0 && last_right < first) {
      return fmt::format("wrong from {} {} on: what is left over behind the last whole group of {}", what, first,
                         group);
    }
  }
  return fmt::format("right up to {} {}, wrong from {} on", what, first - 1, first);
}

Sentence magnitude(const Look& look) {
  const double e = root_mean_square(look.b.expected), g = root_mean_square(look.b.got);
  if (!(e > 0) || !(g > 0) || !std::isfinite(g) || (g < 8 * e && e < 8 * g)) return {};
  return fmt::format("about {} times too {}, by no single factor", number(g > e ? g / e : e / g),
                     g > e ? "large" : "small");
}

// What a pattern is about. Of each kind one is said, the most telling: a second one says the same in other words.
enum class Kind { values, size, order, place, magnitude };

struct Finder {
  Pattern pattern;
  const char* name;
  Sentence (*find)(const Look&);
  Kind kind;
};
constexpr std::array<Finder, 19> kFinders{{
    {Pattern::length, "length", length, Kind::values},
    {Pattern::not_a_number, "not-a-number", not_a_number, Kind::values},
    {Pattern::all_zero, "all-zero", all_zero, Kind::values},
    {Pattern::unchanged, "unchanged-input", unchanged, Kind::values},
    {Pattern::sign, "sign-flipped", sign, Kind::size},
    {Pattern::factor, "constant-factor", factor, Kind::size},
    {Pattern::factor_of_input, "factor-of-an-input", factor_of_input, Kind::size},
    {Pattern::factor_by_row, "factor-by-row", factor_by_row, Kind::size},
    {Pattern::offset, "constant-offset", offset, Kind::size},
    {Pattern::offset_of_input, "offset-of-an-input", offset_of_input, Kind::size},
    {Pattern::shifted, "shifted", shifted, Kind::order},
    {Pattern::reversed, "reversed", reversed, Kind::order},
    {Pattern::transposed, "transposed", transposed, Kind::order},
    {Pattern::byte_order, "byte-order", byte_order, Kind::order},
    {Pattern::reordered, "reordered", reordered, Kind::order},
    {Pattern::rounding, "rounding", rounding, Kind::size},
    {Pattern::some_places, "some-places", some_places, Kind::place},
    {Pattern::beyond, "beyond", beyond, Kind::place},
    {Pattern::magnitude, "order-of-magnitude", magnitude, Kind::magnitude},
}};

// What the wrong places alone look like: of all, their sign, a factor, zeros.
std::string in_those_places(const Look& look) {
  Beside wrong{.expected = {}, .got = {}, .bits = look.b.bits, .tolerance = look.b.tolerance};
  for (const Input& input : look.b.inputs) {
    if (input.values.size() == look.size()) wrong.inputs.push_back({input.name, {}});
  }
  for (const std::size_t i : wrong_places(look)) {
    wrong.expected.push_back(look.b.expected[i]);
    wrong.got.push_back(look.b.got[i]);
    std::size_t kept = 0;
    for (const Input& input : look.b.inputs) {
      if (input.values.size() == look.size()) wrong.inputs[kept++].values.push_back(input.values[i]);
    }
  }
  const Look there(wrong);
  for (const auto find : {all_zero, unchanged, sign, factor, offset}) {
    if (const Sentence sentence = find(there)) return fmt::format("; there, {}", *sentence);
  }
  return "";
}

}  // namespace
}  // namespace finders

std::string_view name_of(Pattern pattern) {
  for (const finders::Finder& finder : finders::kFinders) {
    if (finder.pattern == pattern) return finder.name;
  }
  return "";
}

std::vector<FoundPattern> find_patterns(const Beside& beside) {
  const finders::Look look(beside);
  if (const auto sentence = finders::length(look)) return {{Pattern::length, *sentence}};
  if (finders::wrong_places(look).empty()) return {};
  if (std::all_of(beside.got.begin(), beside.got.end(), [](double v) { return std::isnan(v); })) {
    return {{Pattern::not_a_number, *finders::not_a_number(look)}};  // it is times and plus anything, too
  }
  std::vector<FoundPattern> found;
  std::vector<finders::Kind> said;
  for (const finders::Finder& finder : finders::kFinders) {
    if (finder.pattern == Pattern::length || std::count(said.begin(), said.end(), finder.kind) > 0) continue;
    const auto sentence = finder.find(look);
    if (!sentence) continue;
    said.push_back(finder.kind);
    const bool where = finder.pattern == Pattern::some_places || finder.pattern == Pattern::beyond;
    found.push_back({finder.pattern, *sentence + (where ? finders::in_those_places(look) : "")});
  }
  return found;
}

}  // namespace rung::learn
