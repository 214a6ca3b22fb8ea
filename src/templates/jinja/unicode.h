// UTF-8 and letters as Python's str sees them.  Milestone M8.
#pragma once

#include <cstddef>
#include <string>
#include <string_view>

namespace rung::jinja {

// The code point that begins at `at` (which is moved behind it). The text must be valid UTF-8: parse() and render()
// check theirs once.
char32_t next_code_point(std::string_view text, std::size_t& at);
std::size_t previous_begin(std::string_view text, std::size_t at);  // of the one that ends at `at`
std::size_t count_code_points(std::string_view text);

bool is_space(char32_t c);       // what str.strip() and \s take
bool is_line_break(char32_t c);  // what str.splitlines() splits at
bool is_printable(char32_t c);   // what repr() shows as it is
bool is_cased(char32_t c);       // has another case

enum class Case { upper, lower, title };
void append_cased(std::string& out, char32_t c, Case target);

}  // namespace rung::jinja
