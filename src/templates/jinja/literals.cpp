#include "templates/jinja/literals.h"

#include "base/utf8.h"
#include "templates/jinja/text.h"
#include "templates/jinja/unicode.h"

#include <fmt/format.h>

#include <limits>
#include <locale>
#include <sstream>

namespace rung::jinja {

namespace {

int digit_value(char c) {
  if (is_digit(c)) return c - '0';
  if (c >= 'a' && c <= 'z') return c - 'a' + 10;
  if (c >= 'A' && c <= 'Z') return c - 'A' + 10;
  return 99;
}

// Digits of `base`, each after the first perhaps with a _ before it: how many bytes.
std::size_t scan_digits(std::string_view text, int base) {
  std::size_t end = 0;
  while (end < text.size()) {
    const std::size_t digit = end + (end != 0 && text[end] == '_' ? 1 : 0);
    if (digit >= text.size() || digit_value(text[digit]) >= base) break;
    end = digit + 1;
  }
  return end;
}

std::string without_underscores(std::string_view text) {
  std::string out;
  for (const char c : text) {
    if (c != '_') out += c;
  }
  return out;
}

int base_of_prefix(std::string_view text) {
  if (text.size() < 2 || text[0] != '0') return 10;
  switch (text[1]) {
    case 'x':
    case 'X': return 16;
    case 'o':
    case 'O': return 8;
    case 'b':
    case 'B': return 2;
    default: return 10;
  }
}

std::optional<std::int64_t> accumulate(std::string_view digits, int base, bool negative) {
  std::int64_t value = 0;
  for (const char c : digits) {
    if (c == '_') continue;
    if (__builtin_mul_overflow(value, base, &value) || __builtin_sub_overflow(value, digit_value(c), &value)) return {};
  }
  if (negative) return value;  // gathered below zero, where there is one more
  if (value == std::numeric_limits<std::int64_t>::min()) return {};
  return -value;
}

// 1, 1.5, .5, 5., 1e3: what float() takes, in small letters and without a sign.
bool is_float(std::string_view text) {
  const std::size_t whole = scan_digits(text, 10);
  std::size_t end = whole;
  std::size_t fraction = 0;
  if (end < text.size() && text[end] == '.') {
    fraction = scan_digits(text.substr(end + 1), 10);
    end += 1 + fraction;
  }
  if (whole + fraction == 0) return false;
  if (end < text.size() && text[end] == 'e') {
    ++end;
    if (end < text.size() && (text[end] == '+' || text[end] == '-')) ++end;
    const std::size_t digits = scan_digits(text.substr(end), 10);
    if (digits == 0) return false;
    end += digits;
  }
  return end == text.size();
}

// The code point that `digits` hexadecimal digits at the front of `text` spell.
std::optional<char32_t> hex_escape(std::string_view text, std::size_t digits) {
  if (text.size() < digits) return {};
  char32_t value = 0;
  for (const char c : text.substr(0, digits)) {
    if (digit_value(c) >= 16) return {};
    value = value * 16 + static_cast<char32_t>(digit_value(c));
  }
  return value;
}

}  // namespace

std::size_t scan_float(std::string_view text) {
  const std::size_t whole = scan_digits(text, 10);
  if (whole == 0) return 0;
  std::size_t end = whole;
  if (end < text.size() && text[end] == '.') {
    const std::size_t fraction = scan_digits(text.substr(end + 1), 10);
    if (fraction == 0) return 0;
    end += 1 + fraction;
  }
  if (end < text.size() && (text[end] == 'e' || text[end] == 'E')) {
    std::size_t exponent = end + 1;
    if (exponent < text.size() && (text[exponent] == '+' || text[exponent] == '-')) ++exponent;
    const std::size_t digits = scan_digits(text.substr(exponent), 10);
    if (digits != 0) return exponent + digits;
  }
  return end == whole ? 0 : end;
}

std::size_t scan_integer(std::string_view text) {
  const int base = base_of_prefix(text);
  if (base != 10) {
    std::size_t begin = 2;
    if (begin < text.size() && text[begin] == '_') ++begin;
    const std::size_t digits = scan_digits(text.substr(begin), base);
    if (digits != 0) return begin + digits;
  }
  return text[0] == '0' ? scan_digits(text, 1) : scan_digits(text, 10);
}

std::optional<std::int64_t> integer_value(std::string_view literal) {
  const int base = base_of_prefix(literal);
  return accumulate(base == 10 ? literal : literal.substr(2), base, false);
}

double float_value(std::string_view literal) {
  std::istringstream in(without_underscores(literal));
  in.imbue(std::locale::classic());  // a comma is no decimal point, whatever the user's language
  double value = 0;
  in >> value;
  // What is too large reads as the largest number, and Python as infinity.
  return value == std::numeric_limits<double>::max() && in.fail() ? std::numeric_limits<double>::infinity() : value;
}

std::string unescape(std::string_view literal, std::string& out) {
  for (std::size_t i = 0; i < literal.size(); ++i) {
    if (literal[i] != '\\') {
      out += literal[i];
      continue;
    }
    const char c = literal[++i];
    static constexpr std::string_view letters = "\\'\"abfnrtv";
    static constexpr std::string_view meanings = "\\'\"\a\b\f\n\r\t\v";
    if (const std::size_t known = letters.find(c); known != std::string_view::npos) {
      out += meanings[known];
    } else if (c >= '0' && c <= '7') {
      char32_t value = 0;
      std::size_t digits = 0;
      for (; digits < 3 && i + digits < literal.size() && literal[i + digits] >= '0' && literal[i + digits] <= '7';
           ++digits) {
        value = value * 8 + static_cast<char32_t>(literal[i + digits] - '0');
      }
      append_utf8(out, value);
      i += digits - 1;
    } else if (c == 'x' || c == 'u' || c == 'U') {
      const std::size_t digits = c == 'x' ? 2 : c == 'u' ? 4 : 8;
      const std::optional<char32_t> value = hex_escape(literal.substr(i + 1), digits);
      if (!value) return fmt::format("a string escape \\{} without its {} hexadecimal digits", c, digits);
      if (*value > 0x10ffff || (*value >= 0xd800 && *value < 0xe000)) {
        return "unsupported: a string escape that is no character";
      }
      append_utf8(out, *value);
      i += digits;
    } else if (c == 'N' || static_cast<unsigned char>(c) >= 0x80) {
      return "unsupported: the string escape \\N, or a backslash before a letter beyond ASCII";
    } else if (c != '\n') {  // an escape that means nothing stays as it is; one before a line break takes it away
      out += '\\';
      out += c;
    }
  }
  return {};
}

std::optional<std::int64_t> parse_int(std::string_view text, std::int64_t base, bool& overflow) {
  overflow = false;
  if (base != 0 && (base < 2 || base > 36)) return {};
  const ByteRange inner = strip_range(text, Strip::both);
  text = text.substr(inner.begin, inner.end - inner.begin);
  const bool negative = !text.empty() && text[0] == '-';
  if (!text.empty() && (text[0] == '-' || text[0] == '+')) text.remove_prefix(1);
  const int prefix = base_of_prefix(text);
  int effective = base == 0 ? prefix : static_cast<int>(base);
  if (prefix != 10 && effective == prefix) {
    text.remove_prefix(2);
    if (!text.empty() && text[0] == '_') text.remove_prefix(1);
  } else if (base == 0 && text.size() > 1 && text[0] == '0' && text.find_first_not_of("0_") != std::string_view::npos) {
    return {};
  }
  if (text.empty() || scan_digits(text, effective) != text.size()) return {};
  const std::optional<std::int64_t> value = accumulate(text, effective, negative);
  overflow = !value;
  return value;
}

std::optional<double> parse_float(std::string_view text) {
  const ByteRange inner = strip_range(text, Strip::both);
  text = text.substr(inner.begin, inner.end - inner.begin);
  const bool negative = !text.empty() && text[0] == '-';
  if (!text.empty() && (text[0] == '-' || text[0] == '+')) text.remove_prefix(1);
  std::string lower;
  for (const char c : text) lower += c >= 'A' && c <= 'Z' ? static_cast<char>(c + 32) : c;
  double value = 0;
  if (lower == "inf" || lower == "infinity") {
    value = std::numeric_limits<double>::infinity();
  } else if (lower == "nan") {
    value = std::numeric_limits<double>::quiet_NaN();
  } else {
    if (!is_float(lower)) return {};
    value = float_value(lower);
  }
  return negative ? -value : value;
}

}  // namespace rung::jinja
