#include "templates/jinja/lexer.h"

#include "base/error.h"
#include "base/utf8.h"
#include "templates/jinja/literals.h"
#include "templates/jinja/text.h"
#include "templates/jinja/unicode.h"

#include <algorithm>
#include <array>
#include <optional>

namespace rung::jinja {

namespace {

bool is_name_start(char c) { return (c >= 'a' && c <= 'z') || (c >= 'A' && c <= 'Z') || c == '_'; }
bool is_name_char(char c) { return is_name_start(c) || is_digit(c); }

// \r\n and \r become \n, and one line break at the end is dropped.
std::string normalize_newlines(std::string_view source) {
  std::string out;
  for (std::size_t i = 0; i < source.size(); ++i) {
    if (source[i] == '\r') {
      if (i + 1 < source.size() && source[i + 1] == '\n') continue;
      out += '\n';
    } else {
      out += source[i];
    }
  }
  if (!out.empty() && out.back() == '\n') out.pop_back();
  return out;
}

class Lexer {
 public:
  Lexer(std::string_view source, std::string_view where) : source_(normalize_newlines(source)), where_(where) {}

  std::vector<Token> run() {
    while (at_ < source_.size()) root();
    push(TokenKind::end);
    return std::move(tokens_);
  }

 private:
  template <class... Args>
  [[noreturn]] void fail(fmt::format_string<Args...> format, Args&&... args) const {
    rung::fail("{}:{}: {}", where_, line_, fmt::format(format, std::forward<Args>(args)...));
  }

  std::string_view rest() const { return std::string_view(source_).substr(at_); }
  bool next_is(std::string_view text) const { return rest().substr(0, text.size()) == text; }

  void push(TokenKind kind, std::string text = {}) { tokens_.push_back({kind, line_, std::move(text)}); }

  // Everything that moves the position goes through here: it counts lines, and knows whether a line has just begun.
  void advance(std::size_t bytes) {
    if (bytes == 0) return;
    line_ += static_cast<int>(std::count(source_.begin() + static_cast<std::ptrdiff_t>(at_),
                                         source_.begin() + static_cast<std::ptrdiff_t>(at_ + bytes), '\n'));
    at_ += bytes;
    line_starting_ = source_[at_ - 1] == '\n';
  }

  void skip_spaces() { advance(strip_range(rest(), Strip::left).begin); }

  // One piece of template text, then the tag that ends it.
  void root() {
    const std::size_t tag = find_tag();
    std::string_view data = rest().substr(0, tag - at_);
    if (tag < source_.size()) data = strip_before_tag(data, tag);
    if (!data.empty()) push(TokenKind::data, std::string(data));
    if (tag == source_.size()) return advance(tag - at_);
    if (tag > at_) advance(tag - at_);
    if (const std::optional<std::size_t> raw = raw_begin()) {
      advance(*raw);
      return raw_block();
    }
    const char second = source_[at_ + 1];
    const bool has_sign = at_ + 2 < source_.size() && (source_[at_ + 2] == '-' || source_[at_ + 2] == '+');
    const int tag_line = line_;
    advance(has_sign ? 3 : 2);
    if (second == '#') return comment(tag_line);
    push(second == '{' ? TokenKind::variable_begin : TokenKind::block_begin);
    tag_body(second == '{');
  }

  std::size_t find_tag() const {
    for (std::size_t i = at_; i + 1 < source_.size(); ++i) {
      if (source_[i] == '{' && (source_[i + 1] == '{' || source_[i + 1] == '%' || source_[i + 1] == '#')) return i;
    }
    return source_.size();
  }

  // What is left of the text before the tag at `tag`, whose third character may be a sign.
  std::string_view strip_before_tag(std::string_view data, std::size_t tag) const {
    const char sign = tag + 2 < source_.size() ? source_[tag + 2] : '\0';
    return strip_before(data, sign, source_[tag + 1] == '{');
  }

  std::string_view strip_before(std::string_view data, char sign, bool is_variable) const {
    if (sign == '-') return data.substr(0, strip_range(data, Strip::right).end);
    if (sign == '+' || is_variable) return data;
    const std::size_t newline = data.rfind('\n');
    const std::size_t line = newline == std::string_view::npos ? 0 : newline + 1;
    const bool at_line_start = line > 0 || line_starting_;
    const bool blank = strip_range(data.substr(line), Strip::left).begin == data.size() - line;
    return at_line_start && blank ? data.substr(0, line) : data;
  }

  // The length of `{% raw %}` here. What follows `-%}` goes; what follows `%}` stays, line break and all.
  std::optional<std::size_t> raw_begin() const { return keyword_tag(at_, "raw", false); }

  // The length of a `{% keyword %}` at `begin`, with the whitespace that its end takes along.
  std::optional<std::size_t> keyword_tag(std::size_t begin, std::string_view keyword, bool ends_block) const {
    const std::string_view text = std::string_view(source_).substr(begin);
    if (text.substr(0, 2) != "{%") return {};
    std::size_t i = 2;
    if (i < text.size() && (text[i] == '-' || text[i] == '+')) ++i;
    i += strip_range(text.substr(i), Strip::left).begin;
    if (text.substr(i, keyword.size()) != keyword) return {};
    i += keyword.size();
    i += strip_range(text.substr(i), Strip::left).begin;
    const std::size_t end = end_length(text.substr(i), "%}", ends_block, ends_block);
    if (end == 0) return {};
    return i + end;
  }

  // The length of `-%}`, `%}` or (where allowed) `+%}` at the front of `text`, with the whitespace it takes along; 0 if
  // there is none.
  static std::size_t end_length(std::string_view text, std::string_view end, bool plus_allowed, bool trims_newline) {
    const bool sign = !text.empty() && (text[0] == '-' || (plus_allowed && text[0] == '+'));
    if (text.substr(sign ? 1 : 0, end.size()) != end) return 0;
    const std::size_t length = end.size() + (sign ? 1 : 0);
    if (sign && text[0] == '-') return length + strip_range(text.substr(length), Strip::left).begin;
    const bool newline = trims_newline && !sign && length < text.size() && text[length] == '\n';
    return length + (newline ? 1 : 0);
  }

  void raw_block() {
    if (at_ == source_.size()) return;
    for (std::size_t i = source_.find("{%", at_); i != std::string::npos; i = source_.find("{%", i + 1)) {
      const std::optional<std::size_t> end = keyword_tag(i, "endraw", true);
      if (!end) continue;
      const std::string_view data = strip_before(rest().substr(0, i - at_), source_[i + 2], false);
      if (!data.empty()) push(TokenKind::data, std::string(data));
      return advance(i - at_ + *end);
    }
    fail("{{% raw %}} without {{% endraw %}}");
  }

  void comment(int begin_line) {
    if (at_ == source_.size()) return;  // jinja2, too, lets a template end in "{#"
    for (std::size_t i = at_; i < source_.size(); ++i) {
      // The earliest end wins, and before the same "#}" the one with a sign.
      if (const std::size_t length = end_length(std::string_view(source_).substr(i), "#}", true, true)) {
        return advance(i - at_ + length);
      }
    }
    line_ = begin_line;
    fail("a comment without #}}");
  }

  void tag_body(bool is_variable) {
    const std::string_view end = is_variable ? "}}" : "%}";
    while (at_ < source_.size()) {
      if (brackets_.empty()) {
        if (const std::size_t length = end_length(rest(), end, !is_variable, !is_variable)) {
          push(is_variable ? TokenKind::variable_end : TokenKind::block_end);
          return advance(length);
        }
      }
      const std::size_t spaces = strip_range(rest(), Strip::left).begin;
      if (spaces != 0) {
        advance(spaces);
      } else {
        token();
      }
    }
  }

  void token() {
    const char c = source_[at_];
    if (is_digit(c)) return number();
    if (is_name_start(c)) {
      const std::size_t length =
          static_cast<std::size_t>(
              std::find_if_not(source_.begin() + static_cast<std::ptrdiff_t>(at_), source_.end(), is_name_char) -
              source_.begin()) -
          at_;
      push(TokenKind::name, std::string(rest().substr(0, length)));
      return advance(length);
    }
    if ((c == '\'' || c == '"') && string_literal(c)) return;
    operator_token();
  }

  void number() {
    const bool after_dot = at_ > 0 && source_[at_ - 1] == '.';
    Token token{TokenKind::integer, line_, {}};
    std::size_t length = after_dot ? 0 : scan_float(rest());
    if (length != 0) {
      token.kind = TokenKind::floating;
      token.floating = float_value(rest().substr(0, length));
    } else {
      length = scan_integer(rest());
      const std::optional<std::int64_t> value = integer_value(rest().substr(0, length));
      if (!value) {
        fail("unsupported: the number {}, which needs more than 64 bits",
             rest().substr(0, std::min<std::size_t>(length, 40)));
      }
      token.integer = *value;
    }
    tokens_.push_back(std::move(token));
    advance(length);
  }

  bool string_literal(char quote) {
    std::size_t i = at_ + 1;
    while (i < source_.size() && source_[i] != quote) i += source_[i] == '\\' ? 2 : 1;
    if (i >= source_.size()) return false;
    std::string value;
    const std::string problem = unescape(rest().substr(1, i - at_ - 1), value);
    if (!problem.empty()) fail("{}", problem);
    push(TokenKind::string, std::move(value));
    advance(i + 1 - at_);
    return true;
  }

  void operator_token() {
    static constexpr std::array<std::string_view, 26> operators = {"//", "**", "==", "!=", ">=", "<=", "+", "-", "/",
                                                                   "*",  "%",  "~",  "[",  "]",  "(",  ")", "{", "}",
                                                                   ">",  "<",  "=",  ".",  ":",  "|",  ",", ";"};
    const auto op = std::find_if(operators.begin(), operators.end(), [&](std::string_view o) { return next_is(o); });
    if (op == operators.end()) {
      std::size_t end = at_;
      next_code_point(source_, end);
      fail("unexpected character '{}'", std::string_view(source_).substr(at_, end - at_));
    }
    if (*op == "(" || *op == "[" || *op == "{") brackets_ += *op == "(" ? ')' : *op == "[" ? ']' : '}';
    if (*op == ")" || *op == "]" || *op == "}") {
      if (brackets_.empty()) fail("unexpected '{}'", *op);
      if (brackets_.back() != op->front()) fail("unexpected '{}', expected '{}'", *op, brackets_.back());
      brackets_.pop_back();
    }
    push(TokenKind::op, std::string(*op));
    advance(op->size());
  }

  std::string source_;
  std::string where_;
  std::size_t at_ = 0;
  int line_ = 1;
  bool line_starting_ = true;
  std::string brackets_;  // the closing ones that are still to come
  std::vector<Token> tokens_;
};

}  // namespace

std::vector<Token> tokenize(std::string_view source, std::string_view where) {
  if (const auto invalid = find_invalid_utf8(source)) rung::fail("{}: not UTF-8 at byte {}", where, *invalid);
  return Lexer(source, where).run();
}

}  // namespace rung::jinja
