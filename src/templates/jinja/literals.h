// Numbers and strings as Python writes them.  Milestone M8.
#pragma once

#include <cstdint>
#include <optional>
#include <string>
#include <string_view>

namespace rung::jinja {

inline bool is_digit(char c) { return c >= '0' && c <= '9'; }

std::size_t scan_float(std::string_view text);    // how much of the front is a float: 1.5, 1e3, 1_000.0; 0 if none
std::size_t scan_integer(std::string_view text);  // how much is an integer: 12, 1_000, 0x1f, 0o17, 0b1
std::optional<std::int64_t> integer_value(std::string_view literal);  // empty: needs more than 64 bits
double float_value(std::string_view literal);
// Escapes like \n and \u00e9 → what they stand for. Returns what is wrong, or "".
std::string unescape(std::string_view literal, std::string& out);

// int(text, base) and float(text) of Python. Empty: not a number; `overflow` is set where the number is one, but beyond
// 64 bits.
std::optional<std::int64_t> parse_int(std::string_view text, std::int64_t base, bool& overflow);
std::optional<double> parse_float(std::string_view text);

}  // namespace rung::jinja
