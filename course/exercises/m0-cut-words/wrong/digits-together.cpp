// cause: digits-together
// fails: by-hand
#include "learn.h"

int kind(char c) {
  if ((c >= 'a' && c <= 'z') || (c >= 'A' && c <= 'Z')) return 1;
  if (c >= '0' && c <= '9') return 2;
  return c == ' ' ? 0 : 3;
}

std::vector<std::uint32_t> cut_words(std::string_view text) {
  std::vector<std::uint32_t> ends;
  std::size_t i = 0;
  while (i < text.size()) {
    std::size_t end = i;
    if (text[end] == ' ') ++end;
    if (end < text.size() && kind(text[end]) != 0 && !(end > i && kind(text[end]) == 2)) {
      const int k = kind(text[end]);
      while (end < text.size() && kind(text[end]) == k) ++end;
    }
    ends.push_back(static_cast<std::uint32_t>(end));
    i = end;
  }
  return ends;
}
