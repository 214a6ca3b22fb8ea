// cause: beginnings
// fails: by-hand
#include "learn.h"

int kind(char c) {
  if (c == ' ') return 0;
  if (c >= '0' && c <= '9') return 1;
  return (c >= 'a' && c <= 'z') || (c >= 'A' && c <= 'Z') || static_cast<unsigned char>(c) >= 128 ? 2 : 3;
}

// Where each word begins.
std::vector<std::uint32_t> cut_words(std::string_view text) {
  std::vector<std::uint32_t> places;
  for (std::size_t i = 0; i < text.size();) {
    places.push_back(static_cast<std::uint32_t>(i));
    if (text[i] == ' ' && i + 1 < text.size() && (kind(text[i + 1]) == 2 || kind(text[i + 1]) == 3)) ++i;
    const int k = kind(text[i]);
    ++i;
    while (k >= 2 && i < text.size() && kind(text[i]) == k) ++i;
  }
  return places;
}
