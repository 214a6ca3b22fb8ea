// What goes wrong because of what a user gave: one line that names the file, the thing, what was found and what was
// expected. What only a bug of ours can cause is an assert.
#pragma once

#include <fmt/format.h>

#include <stdexcept>
#include <string>

namespace rung {

class Error : public std::runtime_error {
 public:
  using std::runtime_error::runtime_error;
};

[[noreturn]] void fail_with(fmt::string_view format, fmt::format_args values);  // one function for all types of values

// fail("{}: tensor '{}' is {}, expected {}", file, name, found, expected);
template <class... Args>
[[noreturn]] void fail(fmt::format_string<Args...> format, Args&&... args) {
  fail_with(format, fmt::make_format_args(args...));
}

}  // namespace rung
