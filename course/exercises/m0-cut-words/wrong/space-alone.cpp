// cause: space-alone
// fails: by-hand
#include "learn.h"

std::vector<std::uint32_t> cut_words(std::string_view text) {
  const auto kind = [](char c) {
    if (c == ' ') return 0;
    if (c >= '0' && c <= '9') return 1;
    if ((c >= 'a' && c <= 'z') || (c >= 'A' && c <= 'Z')) return 2;
    return 3;
  };
  std::vector<std::uint32_t> ends;
  for (std::size_t i = 0; i < text.size(); i++) {
    const bool is_last = i + 1 == text.size();
    if (is_last || kind(text[i]) < 2 || kind(text[i]) != kind(text[i + 1])) {
      ends.push_back(static_cast<std::uint32_t>(i + 1));
    }
  }
  return ends;
}
