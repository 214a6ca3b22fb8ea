// cause: last-word-lost
// fails: by-hand
#include "learn.h"

int kind(char c) {
  if ((c >= 'a' && c <= 'z') || (c >= 'A' && c <= 'Z')) return 1;
  if (c >= '0' && c <= '9') return 2;
  return c == ' ' ? 0 : 3;
}

std::vector<std::uint32_t> cut_words(std::string_view text) {
  std::vector<std::uint32_t> ends;
  // A word ends where the next character begins a new one.
  for (std::uint32_t i = 1; i < text.size(); i++) {
    const int before = kind(text[i - 1]), here = kind(text[i]);
    const bool joins = (before == here && (here == 1 || here == 3)) || (before == 0 && (here == 1 || here == 3));
    if (!joins) ends.push_back(i);
  }
  return ends;
}
