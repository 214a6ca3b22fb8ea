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

// What a shared object asks of the program that loads it; in a page the first two are imports of `env`.
struct RungHost {
  void (*print)(const char* text, int bytes);
  void (*not_yet)(const char* what);  // does not return
  void (*fault)(const char* words);   // a kernel's (kernel_entry.h), as the emulator says it; does not return
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

// What learn.h declares for a learner's file.
#ifdef RUNG_LEARN_H
namespace written {

inline std::vector<float> rms_norm(std::span<const float> x, std::span<const float> weight) {
  const std::size_t n = weight.size();
  std::vector<float> out(x.size());
  for (std::size_t begin = 0; begin < x.size(); begin += n) {
    float squares = 0;
    for (std::size_t i = 0; i < n; ++i) squares += x[begin + i] * x[begin + i];
    const float root = std::sqrt(squares / static_cast<float>(n) + 1e-6f);
    for (std::size_t i = 0; i < n; ++i) out[begin + i] = x[begin + i] / root * weight[i];
  }
  return out;
}

inline std::vector<float> linear(std::span<const float> x, std::span<const float> w, std::size_t inputs) {
  if (inputs == 0 || x.size() % inputs != 0 || w.size() % inputs != 0) {
    // What stands on stderr is said to be why it ended.
    std::fprintf(stderr, "linear: %zu and %zu numbers are not whole rows of inputs = %zu\n", x.size(), w.size(),
                 inputs);
    std::abort();
  }
  const std::size_t outputs = w.size() / inputs;
  std::vector<float> out;
  for (std::size_t t = 0; t < x.size() / inputs; ++t) {
    for (std::size_t o = 0; o < outputs; ++o) {
      float sum = 0;
      for (std::size_t i = 0; i < inputs; ++i) sum += x[t * inputs + i] * w[o * inputs + i];
      out.push_back(sum);
    }
  }
  return out;
}

inline void rope(std::span<float> heads, std::size_t tokens, std::size_t first, std::span<const float> frequencies) {
  const std::size_t half = frequencies.size(), width = heads.size() / tokens;
  for (std::size_t begin = 0; begin < heads.size(); begin += 2 * half) {
    for (std::size_t i = 0; i < half; ++i) {
      const float angle = static_cast<float>(first + begin / width) * frequencies[i];
      const float a = heads[begin + i], b = heads[begin + i + half];
      heads[begin + i] = a * std::cos(angle) - b * std::sin(angle);
      heads[begin + i + half] = b * std::cos(angle) + a * std::sin(angle);
    }
  }
}

inline std::vector<float> attention(std::span<const float> q, std::span<const float> keys,
                                    std::span<const float> values, std::size_t tokens, std::size_t first,
                                    std::size_t d) {
  const std::size_t heads = q.size() / tokens / d, kv_width = keys.size() / (first + tokens);
  std::vector<float> out(q.size());
  for (std::size_t begin = 0; begin < q.size(); begin += d) {
    const std::size_t t = begin / d / heads, kv_head = begin / d % heads * (kv_width / d) / heads;
    std::vector<float> scores(first + t + 1);
    for (std::size_t j = 0; j < scores.size(); ++j) {
      for (std::size_t i = 0; i < d; ++i) scores[j] += q[begin + i] * keys[j * kv_width + kv_head * d + i];
      scores[j] /= std::sqrt(static_cast<float>(d));
    }
    const float largest = *std::max_element(scores.begin(), scores.end());
    float sum = 0;
    for (std::size_t j = 0; j < scores.size(); ++j) {
      const float power = std::exp(scores[j] - largest);
      sum += power;
      for (std::size_t i = 0; i < d; ++i) out[begin + i] += power * values[j * kv_width + kv_head * d + i];
    }
    for (std::size_t i = 0; i < d; ++i) out[begin + i] /= sum;
  }
  return out;
}

inline std::vector<float> swiglu(std::span<const float> gate, std::span<const float> up) {
  std::vector<float> out(gate.size());
  for (std::size_t i = 0; i < out.size(); ++i) out[i] = gate[i] / (1.0f + std::exp(-gate[i])) * up[i];
  return out;
}

inline void add(std::span<float> x, std::span<const float> y) {
  for (std::size_t i = 0; i < x.size(); ++i) x[i] += y[i];
}

inline void keep(std::span<float> kept, std::span<const float> rows, std::size_t tokens, std::size_t first) {
  const std::size_t width = rows.size() / tokens;
  for (std::size_t i = 0; i < rows.size(); ++i) kept[first * width + i] = rows[i];
}

}  // namespace written
#endif

#if defined(__wasm__)
// The learner's module lives in the engine's memory, and so do its vectors. The C library's own malloc would take all
// of that memory for itself, so malloc and its relatives are these: whatever asks, new and std::stable_sort too, comes
// here.
extern "C" void* rung_malloc(std::size_t bytes);
extern "C" void rung_free(void* memory);
namespace rung_entry {

struct Before {  // lies in front of each piece of memory
  void* whole;
  std::size_t bytes;
};

inline void* allocate(std::size_t bytes, std::size_t alignment = 16) {
  const std::size_t more = sizeof(Before) + alignment;
  void* const whole = rung_malloc(bytes > PTRDIFF_MAX ? SIZE_MAX : bytes + more);  // never there: the host says so
  const auto end = reinterpret_cast<std::uintptr_t>(whole) + more;
  Before* const piece = reinterpret_cast<Before*>(end - end % alignment);
  piece[-1] = {whole, bytes};
  return piece;
}

inline void* allocate_zeros(std::size_t n, std::size_t size) {
  std::size_t bytes = 0;
  if (__builtin_mul_overflow(n, size, &bytes)) bytes = SIZE_MAX;
  return __builtin_memset(allocate(bytes), 0, bytes);
}

inline void release(void* memory) {
  if (memory != nullptr) rung_free(static_cast<Before*>(memory)[-1].whole);
}

inline void* allocate_again(void* memory, std::size_t bytes) {
  void* const more = allocate(bytes);
  if (memory == nullptr) return more;
  const std::size_t had = static_cast<Before*>(memory)[-1].bytes;
  __builtin_memcpy(more, memory, had < bytes ? had : bytes);
  release(memory);
  return more;
}

}  // namespace rung_entry

#define RUNG_SURROUNDINGS                                                                              \
  extern "C" {                                                                                         \
  void* malloc(std::size_t bytes) { return rung_entry::allocate(bytes); }                              \
  void* calloc(std::size_t n, std::size_t bytes) { return rung_entry::allocate_zeros(n, bytes); }      \
  void* realloc(void* memory, std::size_t bytes) { return rung_entry::allocate_again(memory, bytes); } \
  void* aligned_alloc(std::size_t to, std::size_t bytes) { return rung_entry::allocate(bytes, to); }   \
  void free(void* memory) { rung_entry::release(memory); }                                             \
  }
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

// Called through a volatile pointer, the learner's function stays one of its own: inlined into this one, its lines
// would be mixed with the door's, and a crash found at the wrong one.
#define RUNG_EXERCISE(function, ...)                                                          \
  static_assert(std::is_convertible_v<decltype(&function), rung_entry::Pointer<__VA_ARGS__>>, \
                "keep the signature of " #function ": " #__VA_ARGS__);                        \
  RUNG_SURROUNDINGS                                                                           \
  static const volatile rung_entry::Pointer<__VA_ARGS__> rung_learners = &function;           \
  extern "C" RUNG_EXPORT("rung_exercise") void rung_exercise(RungValue* values) {             \
    rung_entry::call(static_cast<rung_entry::Pointer<__VA_ARGS__>>(rung_learners), values);   \
  }
