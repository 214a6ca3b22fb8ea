// cause: bytes-alone
// fails: by-hand
#include "learn.h"

bool is_letter(char c) { return (c >= 'a' && c <= 'z') || (c >= 'A' && c <= 'Z'); }
bool is_sign(char c) { return c == '\n' || (c > ' ' && c < 127 && !is_letter(c) && !(c >= '0' && c <= '9')); }

std::vector<std::uint32_t> cut_words(std::string_view text) {
  std::vector<std::uint32_t> ends;
  std::size_t begin = 0;
  while (begin < text.size()) {
    std::size_t first = begin;
    if (text[first] == ' ') first++;
    std::size_t end = first;
    if (end < text.size() && is_letter(text[end])) {
      while (end < text.size() && is_letter(text[end])) end++;
    } else {
      while (end < text.size() && is_sign(text[end])) end++;
    }
    if (end == first) end = begin + 1;
    ends.push_back(static_cast<std::uint32_t>(end));
    begin = end;
  }
  return ends;
}
