// Checks for options that count something. CLI11 by itself takes -1 for the largest number there is, and so whatever
// does not fit; its own check would answer with the greatest double, in all its 309 digits.
#pragma once

#include <algorithm>
#include <charconv>
#include <cstddef>
#include <string>
#include <string_view>
#include <system_error>

namespace rung {

inline bool is_whole_number(std::string_view text, std::string_view most) {
  if (text.empty() || text.find_first_not_of("0123456789") != text.npos) return false;
  text.remove_prefix(std::min(text.find_first_not_of('0'), text.size()));
  return text.size() < most.size() || (text.size() == most.size() && text <= most);
}

// What is wrong with it; nothing: empty.
inline std::string zero_or_more(const std::string& text) {
  return is_whole_number(text, "999999999999999999") ? "" : "found '" + text + "', expected a whole number, 0 or more";
}

inline std::string positive(const std::string& text) {
  const bool is_zero = text.find_first_not_of('0') == text.npos;
  return !is_zero && zero_or_more(text).empty() ? "" : "found '" + text + "', expected a number above 0";
}

inline std::string from_1_to(std::size_t most, const std::string& text) {
  return positive(text).empty() && is_whole_number(text, std::to_string(most))
             ? ""
             : "found '" + text + "', expected a number from 1 to " + std::to_string(most);
}

// "1,64,512"
inline std::string positives(const std::string& list) {
  for (std::size_t begin = 0, end = 0; end != list.npos; begin = end + 1) {
    end = list.find(',', begin);
    if (std::string wrong = positive(list.substr(begin, end - begin)); !wrong.empty()) return wrong;
  }
  return "";
}

inline std::string a_number(const std::string& text) {
  float value = 0;
  const auto [after, error] = std::from_chars(text.data(), text.data() + text.size(), value);
  return error == std::errc{} && after == text.data() + text.size() ? "" : "found '" + text + "', expected a number";
}

inline std::string any_seed(const std::string& text) {
  constexpr std::string_view kMost = "18446744073709551615";  // 2^64 − 1
  return is_whole_number(text, kMost) ? ""
                                      : "found '" + text + "', expected a whole number from 0 to " + std::string(kMost);
}

}  // namespace rung
