#include "learn.h"

bool is_letter(char c) { return (c >= 'a' && c <= 'z') || (c >= 'A' && c <= 'Z'); }
bool is_digit(char c) { return c >= '0' && c <= '9'; }
bool is_sign(char c) { return !is_letter(c) && !is_digit(c) && c != ' '; }

// Result: for each word, in order, the place where it ends.
std::vector<std::uint32_t> cut_words(std::string_view text) {
  std::vector<std::uint32_t> ends;
  std::size_t begin = 0;
  while (begin < text.size()) {
    const std::size_t first = text[begin] == ' ' ? begin + 1 : begin;
    std::size_t end = first;
    while (end < text.size() && is_letter(text[end])) ++end;  // rule 1
    if (end == first) {
      while (end < text.size() && is_sign(text[end])) ++end;  // rule 3
    }
    if (end == first) end = begin + 1;  // rules 2 and 4: a digit, or a space alone
    ends.push_back(static_cast<std::uint32_t>(end));
    begin = end;
  }
  return ends;
}
