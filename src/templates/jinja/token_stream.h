// The parser's view of the tokens, and the bound on how deep a template may nest.  Milestone M8.
#pragma once

#include "base/error.h"
#include "templates/jinja/ast.h"
#include "templates/jinja/lexer.h"

#include <algorithm>
#include <string>
#include <string_view>
#include <vector>

namespace rung::jinja {

class TokenStream {
 public:
  TokenStream(std::string_view source, std::string_view where) : where_(where), tokens_(tokenize(source, where)) {}

  const Token& current() const { return tokens_[at_]; }
  const Token& following() const { return tokens_[std::min(at_ + 1, tokens_.size() - 1)]; }
  int line() const { return current().line; }
  bool at_end() const { return current().kind == TokenKind::end; }
  bool at(TokenKind kind) const { return current().kind == kind; }
  bool at_op(std::string_view op) const { return current().kind == TokenKind::op && current().text == op; }
  bool at_name(std::string_view name) const { return current().kind == TokenKind::name && current().text == name; }

  Token take() {
    Token token = current();
    if (!at_end()) ++at_;
    return token;
  }
  bool accept_op(std::string_view op) { return at_op(op) && (take(), true); }
  bool accept_name(std::string_view name) { return at_name(name) && (take(), true); }
  void expect_op(std::string_view op) {
    if (!accept_op(op)) fail(line(), "expected '{}', found {}", op, describe(current()));
  }
  std::string expect_any_name() {
    if (!at(TokenKind::name)) fail(line(), "expected a name, found {}", describe(current()));
    return take().text;
  }
  void expect(TokenKind kind) {
    if (!at(kind)) fail(line(), "expected {}, found {}", describe(Token{kind, 0, {}}), describe(current()));
    take();
  }

  template <class... Args>
  [[noreturn]] void fail(int at_line, fmt::format_string<Args...> format, Args&&... args) const {
    rung::fail("{}:{}: {}", where_, at_line, fmt::vformat(format, fmt::make_format_args(args...)));
  }

  static std::string describe(const Token& token) {
    switch (token.kind) {
      case TokenKind::data: return "text";
      case TokenKind::variable_begin: return "'{{'";
      case TokenKind::variable_end: return "'}}'";
      case TokenKind::block_begin: return "'{%'";
      case TokenKind::block_end: return "'%}'";
      case TokenKind::string: return "a string";
      case TokenKind::integer:
      case TokenKind::floating: return "a number";
      case TokenKind::end: return "the end of the template";
      default: return fmt::format("'{}'", token.text.substr(0, 40));
    }
  }

 private:
  std::string where_;
  std::vector<Token> tokens_;
  std::size_t at_ = 0;
};

// Counts how deep the parser is in itself.
class Nesting {
 public:
  Nesting(int& depth, const TokenStream& tokens) : depth_(depth) {
    if (++depth_ > kMaxDepth) tokens.fail(tokens.line(), "nested deeper than {}", kMaxDepth);
  }
  ~Nesting() { --depth_; }
  Nesting(const Nesting&) = delete;
  Nesting& operator=(const Nesting&) = delete;

 private:
  int& depth_;
};

}  // namespace rung::jinja
