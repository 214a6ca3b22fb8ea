// A template's text → tokens.  Milestone M8.
//
//   Hello {{ name -}} !      →   data "Hello "   {{   name "name"   }}   data "!"
//
// Whitespace control happens here, with the settings that transformers gives jinja2: trim_blocks (a line break right
// after `%}` goes), lstrip_blocks (blanks before a `{%` that begins a line go), no line break at the template's very
// end.
#pragma once

#include <cstdint>
#include <string>
#include <string_view>
#include <vector>

namespace rung::jinja {

enum class TokenKind {
  data,
  variable_begin,
  variable_end,
  block_begin,
  block_end,
  name,
  string,
  integer,
  floating,
  op,
  end
};

struct Token {
  TokenKind kind;
  int line;
  std::string text;  // of data, names, strings (unescaped) and operators
  std::int64_t integer = 0;
  double floating = 0;
};

// Ends with a token of kind `end`. Throws Error "<where>:<line>: …".
std::vector<Token> tokenize(std::string_view source, std::string_view where);

}  // namespace rung::jinja
