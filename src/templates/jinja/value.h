// What a template's variables hold: Python's values, with strings that know their provenance.  Milestone M8.
#pragma once

#include "templates/jinja/runtime.h"
#include "templates/jinja/text.h"

#include <cstdint>
#include <functional>
#include <memory>
#include <optional>
#include <string>
#include <type_traits>
#include <utility>
#include <variant>
#include <vector>

namespace rung::jinja {

class Value;
struct Args;
struct Dict;
struct Sequence;
struct Generator;
struct Callable;

// Values are shared and never change once made (Python's sandbox refuses to change a list, too), so a pointer to const
// is a value.
using TextPtr = std::shared_ptr<const Text>;
using SequencePtr = std::shared_ptr<const Sequence>;
using DictPtr = std::shared_ptr<const Dict>;
using CallablePtr = std::shared_ptr<const Callable>;
using GeneratorPtr = std::shared_ptr<Generator>;  // this one does change: it is used up

struct Undefined {
  std::shared_ptr<const std::string> why;  // the error of whoever uses it: "'tools' is undefined"
};
struct None {};
struct Range {
  std::int64_t start;
  std::int64_t stop;
  std::int64_t step;
  std::int64_t length;
  // unsigned, so that one step past the largest number wraps instead of being undefined
  std::int64_t at(std::int64_t i) const {
    return static_cast<std::int64_t>(static_cast<std::uint64_t>(start) +
                                     static_cast<std::uint64_t>(i) * static_cast<std::uint64_t>(step));
  }
};
enum class ViewKind { keys, values, items };
struct View {
  ViewKind kind;
  DictPtr dict;
};

// A filter, a test, a method or a global function: what it is applied to, and its arguments.
using Builtin = Value (*)(Runtime&, const Value& self, const Args&);

class Value {
 public:
  using Variant = std::variant<Undefined, None, bool, std::int64_t, double, TextPtr, SequencePtr, DictPtr, View, Range,
                               GeneratorPtr, CallablePtr, Namespace*, Loop*, Macro*>;

  Value() : data_(None{}) {}
  template <class T,
            class = std::enable_if_t<!std::is_same_v<std::decay_t<T>, Value> && std::is_constructible_v<Variant, T>>>
  Value(T&& data) : data_(std::forward<T>(data)) {}  // NOLINT: a value is made of what it holds
  Value(Text text) : data_(std::make_shared<const Text>(std::move(text))) {}
  static Value of_string(std::string trusted) { return Value(Text::trusted(std::move(trusted))); }
  static Value undefined(std::string why) {
    return Value(Undefined{std::make_shared<const std::string>(std::move(why))});
  }
  static Value list(Runtime& runtime, std::vector<Value> items);
  static Value tuple(Runtime& runtime, std::vector<Value> items);

  template <class T>
  const T* as() const {
    return std::get_if<T>(&data_);
  }
  template <class T>
  bool is() const {
    return std::holds_alternative<T>(data_);
  }
  const Variant& data() const { return data_; }

  const Text* text() const { return is<TextPtr>() ? as<TextPtr>()->get() : nullptr; }
  // a list or a tuple
  const Sequence* sequence() const { return is<SequencePtr>() ? as<SequencePtr>()->get() : nullptr; }
  bool is_list() const;
  bool is_tuple() const;
  const Dict* dict() const { return is<DictPtr>() ? as<DictPtr>()->get() : nullptr; }
  std::optional<std::int64_t> integer() const;  // of an int or a bool
  std::optional<double> number() const;         // of an int, a bool or a float

 private:
  Variant data_;
};

struct Sequence {
  std::vector<Value> items;
  bool is_tuple = false;
  int depth = 1;  // how deep lists lie in lists: bounded, so that walking down one cannot exhaust the stack
};

struct Dict {
  std::vector<std::pair<Value, Value>> entries;  // in the order in which they came
  int depth = 1;

  // O(n): templates look into dicts of a handful of keys.
  const Value* find(Runtime& runtime, const Value& key) const;
  const Value* find(Runtime& runtime, std::string_view key) const;
};

// Entries one by one; a key that is there already keeps its place and gets the new value.
class DictBuilder {
 public:
  explicit DictBuilder(Runtime& runtime) : runtime_(runtime) {}
  void set(Value key, Value value);
  void append_new(Value key, Value value);  // for a key that is known to be new
  Value build() &&;

 private:
  Runtime& runtime_;
  Dict dict_;
};

// What map(), select() and their like give: each item is made when it is asked for, once.
struct Generator {
  std::function<bool(Value&)> next;  // false: no more
  int depth = 1;
};

struct Callable {
  std::string name;
  Builtin function;
  Value self;  // of a method: its object
};

struct Args {
  std::vector<Value> positional;
  std::vector<std::pair<std::string, Value>> named;

  // Laid over a signature as Python does: a null where nothing was given. Throws for what is too much, unknown, double
  // or missing.
  std::vector<const Value*> bind(Runtime& runtime, std::string_view function,
                                 std::initializer_list<std::string_view> parameters, std::size_t required = 0) const;
  // The same for functions that take no names.
  std::vector<const Value*> bind_positional(Runtime& runtime, std::string_view function, std::size_t required,
                                            std::size_t most) const;
};

struct Namespace {
  std::vector<std::pair<std::string, Value>> attributes;
  Value* find(std::string_view name);
  void set(Runtime& runtime, std::string_view name, Value value);
};

// Python's iter(): one after another, from any value that has items.
class Iterator {
 public:
  Iterator(Runtime& runtime, Value source);  // fails: not iterable
  bool next(Value& item);
  static bool can_iterate(const Value& value);

 private:
  Runtime* runtime_;
  Value source_;
  std::size_t position_ = 0;
};

// The `loop` of a for statement.
struct Loop {
  Loop(Runtime& runtime, Value iterable) : source(iterable), items(runtime, std::move(iterable)) {}
  bool advance();
  std::int64_t length(Runtime& runtime);
  const std::optional<Value>& peek();

  Value source;
  Iterator items;
  std::optional<Value> before, current, after;
  bool peeked = false;
  std::int64_t index0 = -1;
  std::optional<std::int64_t> known_length;
  std::optional<std::vector<Value>> last_changed;
};

inline constexpr int kMaxDepth = 200;          // lists in lists, expressions in expressions, statements in statements
inline constexpr std::size_t kStepBytes = 64;  // what one step of work costs of the budget

std::string_view type_name(const Value& value);  // Python's, for errors
bool truthy(Runtime& runtime, const Value& value);
bool equal(Runtime& runtime, const Value& a, const Value& b);  // a == b
bool less(Runtime& runtime, const Value& a, const Value& b);   // a < b; fails where Python does
bool less_equal(Runtime& runtime, const Value& a, const Value& b);
bool contains(Runtime& runtime, const Value& container, const Value& item);
bool hashable(Runtime& runtime, const Value& value);
std::optional<std::int64_t> length(Runtime& runtime, const Value& value);  // len(), where there is one
std::vector<Value> to_vector(Runtime& runtime, const Value& iterable);

Text to_text(Runtime& runtime, const Value& value);  // str()
void append_text(Runtime& runtime, Text& out, const Value& value);
void append_repr(Runtime& runtime, Text& out, const Value& value);  // repr()
std::string float_repr(double value);

}  // namespace rung::jinja
