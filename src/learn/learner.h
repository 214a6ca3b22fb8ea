// A learner's function as the engine calls it: one C function, whatever the learner's looks like.
//
//   call(f, out, x, weight, epsilon);                        // spans, string views, numbers, as its type has
//   const auto ids = call<std::vector<std::int32_t>>(f, text);
//
// What course/exercises/entry.h does for a learner's file, function<&reference> does for one of ours.
#pragma once

#include <cstddef>
#include <span>
#include <stdexcept>
#include <string>
#include <string_view>
#include <type_traits>
#include <vector>

#include "exercises/entry.h"

namespace rung::learn {

using LearnerFunction = void (*)(RungValue* values);  // values[0] is the result, values[1] … are the arguments

// A learner's function has called not_yet(): what() is the function's name.
class NotYet : public std::runtime_error {
 public:
  using std::runtime_error::runtime_error;
};

// A learner's kernel did what a GPU forbids or leaves undefined, and the emulator saw it: what() has a line a finding.
class KernelFault : public std::runtime_error {
 public:
  using std::runtime_error::runtime_error;
};

// One of our own functions, through the same door.
template <auto F>
void function(RungValue* values) {
  rung_entry::call(F, values);
}

inline RungValue value_of(std::string_view text) { return {const_cast<char*>(text.data()), text.size(), 0}; }
template <class T>
RungValue value_of(std::span<T> elements) {
  return {const_cast<std::remove_const_t<T>*>(elements.data()), elements.size(), 0};
}
template <class T>
RungValue value_of(const std::vector<T>& elements) {
  return value_of(std::span<const T>(elements));
}
template <class T>
  requires std::is_arithmetic_v<T>
RungValue value_of(T number) {
  return {nullptr, 0, static_cast<double>(number)};
}

// A copy of a result.
template <class R>
R result_of(const RungValue& value) {
  if constexpr (std::is_arithmetic_v<R>) {
    return static_cast<R>(value.number);
  } else {
    const auto* const first = static_cast<const typename R::value_type*>(value.data);
    return R(first, first + value.size);
  }
}

template <class R = void, class... Args>
R call(LearnerFunction f, const Args&... args) {
  RungValue values[] = {RungValue{}, value_of(args)...};
  f(values);
  if constexpr (!std::is_void_v<R>) return result_of<R>(values[0]);
}

}  // namespace rung::learn
