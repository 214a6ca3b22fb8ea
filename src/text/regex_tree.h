// Pattern → syntax tree, the first half of compiling a regular expression.  Milestone M0.
#pragma once

#include <cstdint>
#include <string_view>
#include <vector>

#include "text/regex.h"

namespace rung {

constexpr std::uint32_t unlimited = ~std::uint32_t{0};

struct RegexNode {
  enum class Type : std::uint8_t {
    sequence,
    alternation,
    set,
    repeat,
    look,
    atomic,
    line_begin,
    line_end,
    text_begin,
    text_end,
    text_end_or_newline,
    word_boundary,
    no_word_boundary
  };
  enum class Greed : std::uint8_t { greedy, lazy, possessive };
  Type type = Type::sequence;
  std::vector<RegexNode> children;
  CodePointSet set = CodePointSet::of_kinds(0);  // set
  std::uint32_t min = 0, max = 0;                // repeat
  Greed greed = Greed::greedy;
  bool negative = false;  // look
};

// Throws Error that names `where`, the pattern and the construct.
RegexNode parse_regex(std::string_view pattern, std::string_view where);

}  // namespace rung
