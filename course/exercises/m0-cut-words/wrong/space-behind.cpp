// cause: space-with-word-before
// fails: by-hand
#include "learn.h"

bool letter(char c) { return (c >= 'a' && c <= 'z') || (c >= 'A' && c <= 'Z'); }
bool digit(char c) { return c >= '0' && c <= '9'; }

std::vector<std::uint32_t> cut_words(std::string_view text) {
  std::vector<std::uint32_t> ends;
  std::size_t i = 0;
  while (i < text.size()) {
    if (text[i] == ' ' || digit(text[i])) {
      ++i;
    } else {
      const bool letters = letter(text[i]);
      while (i < text.size() && text[i] != ' ' && !digit(text[i]) && letter(text[i]) == letters) ++i;
      if (i < text.size() && text[i] == ' ') ++i;
    }
    ends.push_back(static_cast<std::uint32_t>(i));
  }
  return ends;
}
