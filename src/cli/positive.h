// A check for options that count something. CLI11's own would answer with the greatest double, in all its 309 digits.
#pragma once

#include <string>

namespace rung {

// What is wrong with it; nothing: empty.
inline std::string positive(const std::string& text) {
  const bool is_count = !text.empty() && text.size() <= 18 && text.find_first_not_of("0123456789") == std::string::npos;
  return is_count && text.find_first_not_of('0') != std::string::npos ? "" : "found '" + text + "', expected a number above 0";
}

}  // namespace rung
