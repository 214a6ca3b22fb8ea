// The regular expressions of tokenizers: pattern → program → matches.  Milestone M0.
//
// The syntax and meaning are those of Oniguruma with its Ruby syntax, which the official tokenizers use: leftmost
// match, alternatives in order, greedy, lazy and possessive quantifiers, look-ahead, classes with Unicode categories,
// nesting and intersection. What a pattern names and this matcher lacks (look-behind, back references, …) is an error,
// never a different answer.
//
// A matcher that backtracks is exact but can be led into exponential work, so every search has a budget proportional to
// its text; the patterns of real tokenizers use a few steps per character.
#pragma once

#include <array>
#include <cstddef>
#include <cstdint>
#include <optional>
#include <string>
#include <string_view>
#include <utility>
#include <vector>

#include "text/byte_range.h"
#include "text/unicode.h"

namespace rung {

// A set of code points: from each boundary to the next, the kinds that belong to it. \p{L} is one interval; [a-c] is
// {0: none, a: all, d: none}.
class CodePointSet {
 public:
  static CodePointSet of_kinds(KindSet kinds) { return CodePointSet({{0, kinds}}); }
  static CodePointSet range(char32_t first, char32_t last);

  CodePointSet operator~() const;
  CodePointSet operator|(const CodePointSet& other) const;
  CodePointSet operator&(const CodePointSet& other) const;
  bool contains(char32_t c) const;
  KindSet kinds_from(char32_t low) const;  // of all members ≥ low
  // from there on, the kind alone decides
  bool is_uniform_from(char32_t low) const { return intervals_.back().first <= low; }
  bool is_only(char32_t c) const;  // c and nothing else
  CodePointSet with_case_variants() const;

 private:
  explicit CodePointSet(std::vector<std::pair<char32_t, KindSet>> intervals) : intervals_(std::move(intervals)) {}
  template <class Op>
  CodePointSet combine(const CodePointSet& other, Op op) const;
  std::vector<std::pair<char32_t, KindSet>> intervals_;  // sorted, the first at 0
};

class Regex {
 public:
  // `where` names the pattern in errors. Throws Error.
  Regex(std::string_view pattern, std::string_view where);

  // What a search needs; kept between searches so that each does not allocate anew.
  struct Frame {
    std::uint32_t pc;
    std::uint32_t slot;  // or no_slot
    const char* position;
    const char* low;       // a greedy run may still give characters back down to here
    std::uint64_t others;  // alternatives not tried yet
  };
  struct Scratch {
    std::vector<Frame> frames;
    std::vector<const char*> slots;
    std::uint64_t steps_left = 0;
  };

  // All matches of one text (valid UTF-8), from left to right.
  //   for (Regex::Search search{regex, text, scratch}; auto match = search.next();) …
  class Search {
   public:
    Search(const Regex& regex, std::string_view text, Scratch& scratch);
    std::optional<ByteRange> next();

   private:
    const Regex& regex_;
    std::string_view text_;
    Scratch& scratch_;
    std::size_t at_ = 0;
    std::size_t last_end_ = std::string_view::npos;
  };

 private:
  friend class RegexCompiler;
  friend class RegexRun;

  enum class Op : std::uint8_t {
    byte,          // x: this byte
    set,           // x: one character of sets_[x]
    run,           // x: min to max characters of sets_[x], as many as there are
    alternatives,  // x: in alternatives_, the first that can start here
    split,         // go on at x; if that fails, at y
    jump,          // x
    look,          // x: the program at pc + 1 … accept must (not) match here, then go on at y
    atomic,        // the program at pc + 1 … accept matches once; go on behind it at y
    mark,          // slots[x] = position
    progress,      // if nothing was matched since mark x, go on at y, outside the loop
    line_begin,
    line_end,
    text_begin,
    text_end,
    text_end_or_newline,
    word_boundary,
    no_word_boundary,
    accept
  };
  struct Instruction {
    Op op;
    // run: nothing behind it can fail (or it is possessive), so nothing is given back; look: negative
    bool flag = false;
    std::uint32_t x = 0, y = 0;
    std::uint32_t min = 0, max = 0;
  };
  struct Set {
    std::array<bool, 128> ascii;
    KindSet kinds;  // of the members from U+0080 on, if that tells all
    bool simple;
    CodePointSet set;
    bool contains(char32_t c) const { return c < 128 ? ascii[c] : simple ? rung::contains(kinds, c) : set.contains(c); }
  };
  // By the next character, ASCII or by kind: which alternatives may match. One bit each.
  struct Alternatives {
    std::array<std::uint64_t, 128> ascii;
    std::array<std::uint64_t, 64> kind;
    std::uint64_t at_end;
    std::vector<std::uint32_t> pcs;
  };

  std::vector<Instruction> program_;
  std::vector<Set> sets_;
  std::vector<Alternatives> alternatives_;
  std::uint32_t slots_ = 0;
  std::array<bool, 256> can_start_;  // by the first byte of a match
  std::string where_;
};

}  // namespace rung
