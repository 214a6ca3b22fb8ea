// An exercise as C++ knows it: cases with what must come out, the classic mistakes, its place in the engine. Its text,
// stub, solution and hints are course/exercises/NAME/. Each milestone's are made in m0.cpp … m6.cpp.
#pragma once

#include <cstddef>
#include <cstdint>
#include <limits>
#include <optional>
#include <string>
#include <string_view>
#include <variant>
#include <vector>

#include "engine/random.h"
#include "learn/learner.h"

namespace rung::learn {

struct Seams;

// A number (or a bool: 0 or 1), elements, or a text.
using Content =
    std::variant<double, std::vector<float>, std::vector<std::int32_t>, std::vector<std::uint32_t>,
                 std::vector<std::uint16_t>, std::vector<std::uint8_t>, std::vector<std::int8_t>, std::string>;

struct Argument {
  std::string name;                     // as the signature has it
  Content content;                      // of an output: what lies there before the call
  std::vector<std::size_t> shape = {};  // for people: {3, 4} shows rows; empty: one row
  bool output = false;                  // the function writes there
  // Of bytes: what lies in memory behind their end, where the function may not read. Who reads there finds the same on
  // every machine.
  std::vector<std::uint8_t> behind = {};
};

// What came out of a call: what the output arguments hold, in their order, and the result, where there is one.
struct Answer {
  std::vector<Content> outputs = {};
  std::optional<Content> result = {};
};

struct Case {
  std::string title;                // "two numbers, weights of 1"
  std::vector<Argument> arguments;  // all, in the signature's order
  Answer expected;
  std::string arithmetic = {};  // how the expected comes about, a step a line; of cases by hand
};

// An output of n floats. They are no numbers before the call: so one that was not written is seen.
inline Argument output(std::string name, std::size_t n, std::vector<std::size_t> shape = {}) {
  return {std::move(name), std::vector<float>(n, std::numeric_limits<float>::quiet_NaN()), std::move(shape), true};
}

// A function of the exercise's type, and what type of result it has.
struct Reference {
  LearnerFunction call = nullptr;
  std::optional<Content> result = {};  // an empty one of that type; none: void
};
template <class R>
std::optional<Content> empty_result() {
  if constexpr (std::is_void_v<R>) {
    return std::nullopt;
  } else if constexpr (std::is_arithmetic_v<R>) {
    return 0.0;
  } else if constexpr (std::is_convertible_v<R, std::string_view>) {
    return std::string();
  } else {
    return std::vector<std::remove_const_t<typename R::value_type>>();
  }
}
template <class R, class... Args>
std::optional<Content> empty_result_of(R (*)(Args...)) {
  return empty_result<R>();
}
template <auto F>
Reference reference() {
  return {function<F>, empty_result_of(F)};
}

// One that people make. It is found by simulation: what it gives for the same arguments is what the learner's gave.
struct KnownMistake {
  std::string_view id;        // "rms-norm-sum"
  std::string_view sentence;  // what is wrong and what to do: "the mean of the squares is missing: divide by x.size()"
  std::string_view page;      // that explains it: "m2-forward-pass#rmsnorm"
  LearnerFunction call;       // the reference with that mistake
  // Of a kernel's mistakes, those that no number shows: words of the emulator, of which a KernelFault has some. `call`
  // then throws one.
  std::vector<std::string_view> findings = {};
};

// What a race is run with: all functions are called with the same arguments.
struct Rival {
  std::string_view title;  // "the rung before: vectors"
  LearnerFunction call;
};
struct Race {
  std::vector<Argument> arguments;
  double operations = 0;  // of a call: multiplications and additions; 0: calls are counted
  std::vector<Rival> rivals = {};
};

struct Exercise {
  std::string_view name;  // its folder: "m2-rms-norm"
  Reference reference;
  std::vector<Case> (*by_hand)() = nullptr;            // each worked out by hand, the easiest first
  std::vector<Argument> (*random)(Random&) = nullptr;  // arguments of a random shape; `reference` says what is right
  double tolerance = 1e-5;                             // |got − expected| ≤ tolerance·max(1, |expected|); 0: equal
  std::vector<KnownMistake> mistakes = {};             // the likeliest first
  void (*place)(Seams&, LearnerFunction) = nullptr;    // puts it into the engine (seams.h); none: it has no place
  Race (*race)() = nullptr;                            // none: its speed says nothing
  // With the reference in place pebble is another model (a window, four bits): beside others it stays out.
  bool changes_pebble = false;
  bool is_kernel = false;  // in the Metal Shading Language, run by the emulator: at the terminal alone
  bool rounds = false;     // it computes with rounded numbers: a story may go another way than one without it
};

// All, in the order in which they teach.
const std::vector<Exercise>& exercises();
const Exercise* find_exercise(std::string_view name);  // null: there is none

std::vector<Exercise> m0_exercises();
std::vector<Exercise> m1_exercises();
std::vector<Exercise> m2_exercises();
std::vector<Exercise> m3_exercises();
std::vector<Exercise> m4_exercises();
std::vector<Exercise> m5_exercises();
std::vector<Exercise> m6_exercises();
std::vector<Exercise> m7_exercises();

// For random cases: a whole number from `low` to `high`, both included; n floats around 0, most of them below `size`.
std::size_t whole(Random& random, std::size_t low, std::size_t high);
std::vector<float> floats(Random& random, std::size_t n, double size = 1);

// What a function is called with: a place for the result, then the arguments, which live as long as `arguments` do.
// What lies behind bytes is moved behind their end.
std::vector<RungValue> values_for(std::vector<Argument>& arguments);

// Calls `f` with copies of the arguments.
Answer answer_of(LearnerFunction f, const std::vector<Argument>& arguments, const std::optional<Content>& result_type);

// Where two contents differ; nullopt: nowhere. Beyond the shorter one's end is a difference, too.
std::optional<std::size_t> first_difference(const Content& expected, const Content& got, double tolerance);
bool agree(const Answer& expected, const Answer& got, double tolerance);

// "[1, 2.5, …]": for people; of long ones the beginning, or the surroundings of `around`.
std::string shown(const Content& content, const std::vector<std::size_t>& shape = {},
                  std::optional<std::size_t> around = {});

}  // namespace rung::learn
