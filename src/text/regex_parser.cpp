// A regular expression's text → its tree (text/regex_tree.h).  Milestone M0.
#include <algorithm>
#include <set>
#include <string>

#include "base/error.h"
#include "base/utf8.h"
#include "text/regex_tree.h"

namespace rung {
namespace {

using Type = RegexNode::Type;
using Greed = RegexNode::Greed;

constexpr std::size_t max_pattern_bytes = 1 << 13;
constexpr int max_depth = 64;

class Parser {
 public:
  Parser(std::string_view pattern, std::string_view where) : pattern_(pattern), where_(where) {
    if (pattern.size() > max_pattern_bytes) {
      fail("{}: a pattern of {} bytes, expected at most {}", where, pattern.size(), max_pattern_bytes);
    }
    if (const auto bad = find_invalid_utf8(pattern)) fail("{}: pattern: byte {} is no valid UTF-8", where, *bad);
  }

  RegexNode parse() {
    RegexNode node = alternation();
    if (!at_end()) refuse("')' without '('");
    return node;
  }

 private:
  [[noreturn]] void refuse(std::string_view what) const {
    fail("{}: pattern '{}': {} at byte {} is not supported", where_, pattern_.substr(0, 200), what, at_);
  }
  bool at_end() const { return at_ == pattern_.size(); }
  bool looking_at(std::string_view text) const { return pattern_.substr(at_, text.size()) == text; }
  bool take(std::string_view text) {
    if (!looking_at(text)) return false;
    at_ += text.size();
    return true;
  }
  char32_t next() {
    if (at_end()) refuse("the end of the pattern");
    const char* p = pattern_.data() + at_;
    const char32_t c = decode_utf8(p);
    at_ = static_cast<std::size_t>(p - pattern_.data());
    return c;
  }

  RegexNode alternation() {
    if (++depth_ > max_depth) refuse("nesting this deep");
    RegexNode node{.type = Type::alternation, .children = {}};
    do node.children.push_back(sequence());
    while (take("|"));
    --depth_;
    if (node.children.size() > 1) return node;
    RegexNode only = std::move(node.children.front());
    return only;
  }

  RegexNode sequence() {
    RegexNode node{.type = Type::sequence, .children = {}};
    while (!at_end() && !looking_at("|") && !looking_at(")")) node.children.push_back(quantified(atom()));
    return node;
  }

  RegexNode atom() {
    if (take("(?:")) return group(RegexNode{}, ignore_case_);
    if (take("(?i:")) return group(RegexNode{}, true);
    if (take("(?-i:")) return group(RegexNode{}, false);
    if (take("(?=")) return group(RegexNode{.type = Type::look, .children = {}}, ignore_case_);
    if (take("(?!")) return group(RegexNode{.type = Type::look, .children = {}, .negative = true}, ignore_case_);
    if (take("(?>")) return group(RegexNode{.type = Type::atomic, .children = {}}, ignore_case_);
    if (looking_at("(?")) refuse(fmt::format("'{}'", pattern_.substr(at_, 4)));
    if (take("(")) return group(RegexNode{}, ignore_case_);
    if (take("[")) return RegexNode{.type = Type::set, .children = {}, .set = bracket(ignore_case_)};
    if (take(".")) return set_node(~CodePointSet::range('\n', '\n'));
    if (take("^")) return RegexNode{.type = Type::line_begin, .children = {}};
    if (take("$")) return RegexNode{.type = Type::line_end, .children = {}};
    if (take("\\")) return escape();
    RegexNode unused;
    if (looking_at("*") || looking_at("+") || looking_at("?") || (looking_at("{") && bounds(unused))) {
      refuse("a quantifier with nothing before it");
    }
    const char32_t c = next();
    return literal(c);
  }

  RegexNode group(RegexNode node, bool ignore_case) {
    const bool outside = std::exchange(ignore_case_, ignore_case);
    RegexNode inner = alternation();
    ignore_case_ = outside;
    if (!take(")")) refuse("'(' without ')'");
    if (node.type == Type::sequence) return inner;
    node.children.push_back(std::move(inner));
    return node;
  }

  RegexNode literal(char32_t c) { return set_node(CodePointSet::range(c, c)); }

  RegexNode set_node(CodePointSet set) {
    return RegexNode{
        .type = Type::set, .children = {}, .set = ignore_case_ ? set.with_case_variants() : std::move(set)};
  }

  RegexNode quantified(RegexNode inner) {
    for (bool first = true;; first = false) {
      RegexNode node{.type = Type::repeat, .children = {}};
      bool interval = false;
      if (take("*")) {
        node.max = unlimited;
      } else if (take("+")) {
        node.min = 1, node.max = unlimited;
      } else if (take("?")) {
        node.max = 1;
      } else if (looking_at("{") && bounds(node)) {
        interval = true;
      } else {
        return inner;
      }
      if (!first && !interval) refuse("a quantifier of a quantifier");
      // '+' behind an interval is no possessive mark but repeats it; '{n}?' would make it optional.
      if (!interval && take("+")) node.greed = Greed::possessive;
      if (interval && looking_at("+")) {
        node.children.push_back(std::move(inner));
        take("+");
        inner = RegexNode{.type = Type::repeat, .children = {}, .min = 1, .max = unlimited};
        inner.children.push_back(std::move(node));
        continue;
      }
      if (looking_at("?")) {
        if (interval && node.min == node.max) refuse("'{n}?'");
        if (node.greed == Greed::possessive) refuse("a quantifier of a quantifier");
        take("?");
        node.greed = Greed::lazy;
      }
      node.children.push_back(std::move(inner));
      inner = std::move(node);
    }
  }

  // {n} {n,} {n,m} {,m}; anything else in braces is literal text.
  bool bounds(RegexNode& node) {
    const std::size_t start = at_;
    const auto number = [this](std::uint32_t absent) {
      if (at_end() || pattern_[at_] < '0' || pattern_[at_] > '9') return absent;
      std::uint32_t n = 0;
      while (!at_end() && pattern_[at_] >= '0' && pattern_[at_] <= '9') {
        n = n * 10 + static_cast<std::uint32_t>(pattern_[at_++] - '0');
        if (n > 1000) refuse("a count above 1000");
      }
      return n;
    };
    take("{");
    const std::uint32_t none = unlimited - 1;
    node.min = number(none);
    node.max = node.min;
    if (take(",")) {
      node.max = number(unlimited);
      if (node.min == none) node.min = node.max == unlimited ? none : 0;
    }
    if (node.min == none || !take("}")) {
      at_ = start;
      return false;
    }
    if (node.min > node.max) refuse("{n,m} with n > m");
    return true;
  }

  RegexNode escape() {
    if (take("A")) return RegexNode{.type = Type::text_begin, .children = {}};
    if (take("z")) return RegexNode{.type = Type::text_end, .children = {}};
    if (take("Z")) return RegexNode{.type = Type::text_end_or_newline, .children = {}};
    if (take("b")) return RegexNode{.type = Type::word_boundary, .children = {}};
    if (take("B")) return RegexNode{.type = Type::no_word_boundary, .children = {}};
    // no case variants: so it is
    if (const auto set = class_escape()) return RegexNode{.type = Type::set, .children = {}, .set = *set};
    return literal(character_escape());
  }

  std::optional<CodePointSet> class_escape() {
    const auto kinds = [](KindSet set) { return CodePointSet::of_kinds(set); };
    if (take("s")) return kinds(space_kinds());
    if (take("S")) return kinds(~space_kinds());
    if (take("d")) return kinds(*category_kinds("Nd"));
    if (take("D")) return kinds(~*category_kinds("Nd"));
    if (take("w")) return kinds(word_kinds());
    if (take("W")) return kinds(~word_kinds());
    if (take("h")) return hexadecimal();
    if (take("H")) return ~hexadecimal();
    const bool negative = looking_at("P{");
    if (!negative && !looking_at("p{")) return std::nullopt;
    const std::size_t begin = at_ + 2, close = pattern_.find('}', at_);
    if (close == std::string_view::npos) refuse("'\\p{' without '}'");
    std::string_view name = pattern_.substr(begin, close - begin);
    const bool caret = name.starts_with('^');
    if (caret) name.remove_prefix(1);
    const auto found = category_kinds(name);
    if (!found) refuse(fmt::format("'\\p{{{}}}'", name));
    at_ = close + 1;
    return kinds(negative != caret ? ~*found : *found);
  }

  static CodePointSet hexadecimal() {
    return CodePointSet::range('0', '9') | CodePointSet::range('a', 'f') | CodePointSet::range('A', 'F');
  }

  char32_t character_escape() {
    constexpr std::string_view names = "tnrfvae", values = "\t\n\r\f\v\a\x1b";
    const char32_t c = next();
    if (const std::size_t i = c < 128 ? names.find(static_cast<char>(c)) : std::string_view::npos;
        i != std::string_view::npos) {
      return static_cast<char32_t>(values[i]);
    }
    if (c == 'u') return hex_digits(4, 4);
    if (c == 'x' && take("{")) {
      const char32_t value = hex_digits(1, 8);
      if (!take("}")) refuse("'\\x{' without '}'");
      return value;
    }
    if (c == 'x') {
      const char32_t value = hex_digits(1, 2);
      if (value >= 0x80) refuse("a byte escape above 7f");
      return value;
    }
    const bool alphanumeric = (c >= '0' && c <= '9') || (c >= 'a' && c <= 'z') || (c >= 'A' && c <= 'Z');
    if (alphanumeric) refuse(fmt::format("'\\{}'", static_cast<char>(c)));
    return c;
  }

  char32_t hex_digits(int at_least, int at_most) {
    char32_t value = 0;
    int n = 0;
    for (; n < at_most && !at_end(); ++n, ++at_) {
      const char c = pattern_[at_];
      const int digit = c >= '0' && c <= '9'   ? c - '0'
                        : c >= 'a' && c <= 'f' ? c - 'a' + 10
                        : c >= 'A' && c <= 'F' ? c - 'A' + 10
                                               : -1;
      if (digit < 0) break;
      value = value * 16 + static_cast<char32_t>(digit);
    }
    if (n < at_least || value > 0x10ffff) refuse("a character number like this");
    return value;
  }

  // What stands between [ and ]: characters, ranges, classes, other brackets, and && between intersected halves. Case
  // variants join the whole, before it is negated.
  CodePointSet bracket(bool ignore_case) {
    if (++depth_ > max_depth) refuse("nesting this deep");
    const bool negative = take("^");
    CodePointSet all = CodePointSet::of_kinds(all_kinds), part = CodePointSet::of_kinds(0);
    bool empty = true;
    while (empty || !looking_at("]")) {
      if (at_end()) refuse("'[' without ']'");
      if (take("&&")) {
        all = all & part;
        part = CodePointSet::of_kinds(0);
      } else if (looking_at("[:")) {
        refuse("'[:'");
      } else if (take("[")) {
        part = part | bracket(false);
      } else {
        part = part | item();
      }
      empty = false;
    }
    take("]");
    --depth_;
    all = all & part;
    if (ignore_case) all = all.with_case_variants();
    return negative ? ~all : all;
  }

  CodePointSet item() {
    const auto character = [this] { return take("\\") ? take("b") ? U'\b' : character_escape() : next(); };
    if (looking_at("\\")) {
      const std::size_t start = at_++;
      if (const auto set = class_escape()) return *set;
      at_ = start;
    }
    const char32_t first = character();
    if (!looking_at("-") || pattern_.substr(at_, 2) == "-]") return CodePointSet::range(first, first);
    take("-");
    if (looking_at("[")) refuse("a range that ends in '['");
    const char32_t last = character();
    if (last < first) refuse("a range that ends before it begins");
    return CodePointSet::range(first, last);
  }

  std::string_view pattern_, where_;
  std::size_t at_ = 0;
  int depth_ = 0;
  bool ignore_case_ = false;
};

}  // namespace

RegexNode parse_regex(std::string_view pattern, std::string_view where) { return Parser(pattern, where).parse(); }

CodePointSet CodePointSet::range(char32_t first, char32_t last) {
  std::vector<std::pair<char32_t, KindSet>> intervals;
  if (first > 0) intervals.emplace_back(0, 0);
  intervals.emplace_back(first, all_kinds);
  intervals.emplace_back(last + 1, 0);
  return CodePointSet(std::move(intervals));
}

template <class Op>
CodePointSet CodePointSet::combine(const CodePointSet& other, Op op) const {
  std::vector<std::pair<char32_t, KindSet>> out;
  std::size_t i = 0, j = 0;
  KindSet a = 0, b = 0;
  while (i < intervals_.size() || j < other.intervals_.size()) {
    const char32_t x = i < intervals_.size() ? intervals_[i].first : ~char32_t{0};
    const char32_t y = j < other.intervals_.size() ? other.intervals_[j].first : ~char32_t{0};
    if (x <= y) a = intervals_[i++].second;
    if (y <= x) b = other.intervals_[j++].second;
    const KindSet both = op(a, b);
    if (out.empty() || out.back().second != both) out.emplace_back(std::min(x, y), both);
  }
  return CodePointSet(std::move(out));
}

CodePointSet CodePointSet::operator~() const {
  return combine(*this, [](KindSet a, KindSet) { return ~a; });
}
CodePointSet CodePointSet::operator|(const CodePointSet& other) const {
  return combine(other, [](KindSet a, KindSet b) { return a | b; });
}
CodePointSet CodePointSet::operator&(const CodePointSet& other) const {
  return combine(other, [](KindSet a, KindSet b) { return a & b; });
}

bool CodePointSet::contains(char32_t c) const {
  const auto behind =
      std::upper_bound(intervals_.begin(), intervals_.end(), c, [](char32_t x, const auto& i) { return x < i.first; });
  return rung::contains(std::prev(behind)->second, c);
}

KindSet CodePointSet::kinds_from(char32_t low) const {
  KindSet kinds = 0;
  for (std::size_t i = 0; i < intervals_.size(); ++i) {
    if (i + 1 == intervals_.size() || intervals_[i + 1].first > low) kinds |= intervals_[i].second;
  }
  return kinds;
}

bool CodePointSet::is_only(char32_t c) const {
  const CodePointSet just = range(c, c);
  return intervals_ == just.intervals_;
}

CodePointSet CodePointSet::with_case_variants() const {
  std::set<char32_t> variants;
  for_each_case_variant([&](char32_t from, char32_t to) {
    if (contains(from)) variants.insert(to);
  });
  std::vector<std::pair<char32_t, KindSet>> intervals{{0, 0}};
  for (const char32_t c : variants) {
    if (intervals.back().first == c) intervals.pop_back();  // c follows the one before: their intervals join
    if (intervals.empty() || intervals.back().second == 0) intervals.emplace_back(c, all_kinds);
    intervals.emplace_back(c + 1, 0);
  }
  return *this | CodePointSet(std::move(intervals));
}

}  // namespace rung
