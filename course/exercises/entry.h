// The door between the engine and a learner's function: one C function, whatever the learner's looks like. A learner
// does not see this file. What is compiled is made on the spot:
//
//   #include "learn.h"
//   #include "m2-rms-norm.cpp"      // the learner's
//   #include "entry.h"
//   RUNG_EXERCISE(rms_norm, void(std::span<float> out, std::span<const float> x, …))
//
// in a page (wasm) as at the terminal (a shared object). The engine includes it, too: its own reference solutions go
// through the same door (src/learn/learner.h).
#pragma once

#include <cstddef>
#include <cstdint>
#include <cstdlib>
#include <new>
#include <span>
#include <string>
#include <string_view>
#include <type_traits>
#include <utility>
#include <vector>

// An argument, or a result: elements in memory, or a number.
struct RungValue {
  void* data;
  std::uint64_t size;  // in elements
  double number;       // of a number or a bool
};

// What a shared object asks of the program that loads it; in a page the same two are imports of `env`.
struct RungHost {
  void (*print)(const char* text, int bytes);
  void (*not_yet)(const char* what);  // does not return
};

namespace rung_entry {

template <class T>
struct Argument {
  static_assert(std::is_arithmetic_v<T>, "an argument is a number, a std::span or a std::string_view");
  static T from(const RungValue& value) { return static_cast<T>(value.number); }
};
template <class T>
struct Argument<std::span<T>> {
  static std::span<T> from(const RungValue& value) {
    return {static_cast<T*>(value.data), static_cast<std::size_t>(value.size)};
  }
};
template <>
struct Argument<std::string_view> {
  static std::string_view from(const RungValue& value) {
    return {static_cast<const char*>(value.data), static_cast<std::size_t>(value.size)};
  }
};

// The result stays until the next call: whoever calls copies it. It is never freed, since nobody knows when.
template <class R>
void give(RungValue& value, R result) {
  if constexpr (std::is_arithmetic_v<R>) {
    value.number = static_cast<double>(result);
  } else {
    static R& kept = *new R;
    kept = std::move(result);
    using Element = typename R::value_type;
    value.data = const_cast<std::remove_const_t<Element>*>(kept.data());
    value.size = kept.size();
  }
}

template <class R, class... Args, std::size_t... i>
void call(R (*function)(Args...), RungValue* values, std::index_sequence<i...>) {
  if constexpr (std::is_void_v<R>) {
    function(Argument<std::remove_cvref_t<Args>>::from(values[1 + i])...);
  } else {
    give<R>(values[0], function(Argument<std::remove_cvref_t<Args>>::from(values[1 + i])...));
  }
}

// values[0] is the result, values[1] … are the arguments.
template <class R, class... Args>
void call(R (*function)(Args...), RungValue* values) {
  call(function, values, std::index_sequence_for<Args...>{});
}

template <class Type>
using Pointer = Type*;

}  // namespace rung_entry

#if defined(__wasm__)
// The learner's module lives in the engine's memory, and so do its vectors.
#define RUNG_SURROUNDINGS                                                         \
  extern "C" void* rung_malloc(std::size_t bytes);                                \
  extern "C" void rung_free(void* memory);                                        \
  void* operator new(std::size_t bytes) { return rung_malloc(bytes); }            \
  void* operator new[](std::size_t bytes) { return rung_malloc(bytes); }          \
  void operator delete(void* memory) noexcept { rung_free(memory); }              \
  void operator delete[](void* memory) noexcept { rung_free(memory); }            \
  void operator delete(void* memory, std::size_t) noexcept { rung_free(memory); } \
  void operator delete[](void* memory, std::size_t) noexcept { rung_free(memory); }
#define RUNG_EXPORT(name) __attribute__((export_name(name)))
#else
#define RUNG_SURROUNDINGS                                                                                         \
  static const RungHost* rung_of_host = nullptr;                                                                  \
  extern "C" __attribute__((visibility("default"))) void rung_host(const RungHost* host) { rung_of_host = host; } \
  extern "C" void rung_print(const char* text, int bytes) { rung_of_host->print(text, bytes); }                   \
  extern "C" void rung_not_yet(const char* what) {                                                                \
    rung_of_host->not_yet(what);                                                                                  \
    std::abort();                                                                                                 \
  }
#define RUNG_EXPORT(name) __attribute__((visibility("default")))
#endif

// Called through a volatile pointer, the learner's function stays one of its own: inlined into this one, its lines would
// be mixed with the door's, and a crash found at the wrong one.
#define RUNG_EXERCISE(function, ...)                                                          \
  static_assert(std::is_convertible_v<decltype(&function), rung_entry::Pointer<__VA_ARGS__>>, \
                "keep the signature of " #function ": " #__VA_ARGS__);                        \
  RUNG_SURROUNDINGS                                                                           \
  static const volatile rung_entry::Pointer<__VA_ARGS__> rung_learners = &function;           \
  extern "C" RUNG_EXPORT("rung_exercise") void rung_exercise(RungValue* values) {             \
    rung_entry::call(static_cast<rung_entry::Pointer<__VA_ARGS__>>(rung_learners), values);   \
  }
