// object.name, object[index], object[start:stop:step].
#include "templates/jinja/builtins.h"
#include "templates/jinja/unicode.h"

#include <algorithm>
#include <array>
#include <iterator>

namespace rung::jinja {

namespace {

Value no_attribute(const Value& object, std::string_view name) {
  if (object.is<None>()) return Value::undefined(fmt::format("'None' has no attribute '{}'", name));
  // What a template does to a content that it takes for a string, and that is a list of parts.
  const bool of_text = object.is_list() && find_method(Value(Text()), name) != nullptr;
  return Value::undefined(fmt::format("'{} object' has no attribute '{}'{}", type_name(object), name,
                                      of_text ? " (the content of a message should be a string here)" : ""));
}

template <std::size_t N>
bool is_one_of(std::string_view name, const std::array<std::string_view, N>& names) {
  return std::find(names.begin(), names.end(), name) != names.end();
}

// What Python would change an object by: jinja2's immutable sandbox answers with an undefined value.
bool is_hidden(const Value& object, std::string_view name) {
  static constexpr std::array<std::string_view, 8> of_list = {"append", "clear", "pop",    "reverse",
                                                              "insert", "sort",  "extend", "remove"};
  static constexpr std::array<std::string_view, 5> of_dict = {"clear", "pop", "popitem", "setdefault", "update"};
  if (name.size() > 4 && name.substr(0, 2) == "__" && name.substr(name.size() - 2) == "__") return true;
  return (object.is_list() && is_one_of(name, of_list)) || (object.dict() != nullptr && is_one_of(name, of_dict));
}

// What Python has there, and this engine does not.
bool is_missing_here(const Value& object, std::string_view name) {
  static constexpr std::array<std::string_view, 9> of_text = {"casefold",   "encode",       "expandtabs",
                                                              "format_map", "isidentifier", "istitle",
                                                              "maketrans",  "translate",    "isprintable"};
  static constexpr std::array<std::string_view, 11> of_number = {
      "real",      "imag",     "numerator",  "denominator",      "bit_length", "bit_count",
      "conjugate", "to_bytes", "from_bytes", "as_integer_ratio", "is_integer"};
  static constexpr std::array<std::string_view, 2> of_float = {"hex", "fromhex"};
  static constexpr std::array<std::string_view, 5> of_range = {"start", "stop", "step", "count", "index"};
  static constexpr std::array<std::string_view, 7> of_generator = {"close",      "send",    "throw",       "gi_frame",
                                                                   "gi_running", "gi_code", "gi_yieldfrom"};
  static constexpr std::array<std::string_view, 2> of_view = {"isdisjoint", "mapping"};
  static constexpr std::array<std::string_view, 6> of_macro = {"name",          "arguments", "catch_kwargs",
                                                               "catch_varargs", "caller",    "explicit_caller"};
  if (object.text() != nullptr) return is_one_of(name, of_text);
  if (object.is_list()) return name == "copy";
  if (object.dict() != nullptr) return name == "fromkeys" || name == "copy";
  if (object.number()) return is_one_of(name, of_number) || (object.is<double>() && is_one_of(name, of_float));
  if (object.is<Range>()) return is_one_of(name, of_range);
  if (object.is<GeneratorPtr>()) return is_one_of(name, of_generator);
  if (object.is<View>()) return is_one_of(name, of_view);
  return object.is<Macro*>() && is_one_of(name, of_macro);
}

Value loop_changed(Runtime& runtime, const Value& self, const Args& args) {
  Loop& loop = **self.as<Loop*>();
  if (!args.named.empty()) runtime.fail("loop.changed takes no argument by name");
  if (loop.last_changed && loop.last_changed->size() == args.positional.size()) {
    bool same = true;
    for (std::size_t i = 0; same && i < args.positional.size(); ++i) {
      same = equal(runtime, (*loop.last_changed)[i], args.positional[i]);
    }
    if (same) return Value(false);
  }
  loop.last_changed = args.positional;
  return Value(true);
}

Value loop_cycle(Runtime& runtime, const Value& self, const Args& args) {
  if (!args.named.empty()) runtime.fail("loop.cycle takes no argument by name");
  if (args.positional.empty()) runtime.fail("loop.cycle needs something to cycle through");
  return args.positional[static_cast<std::size_t>((*self.as<Loop*>())->index0) % args.positional.size()];
}

std::optional<Value> loop_attribute(Runtime& runtime, const Value& object, std::string_view name) {
  Loop& loop = **object.as<Loop*>();
  if (name == "index") return Value(loop.index0 + 1);
  if (name == "index0") return Value(loop.index0);
  if (name == "first") return Value(loop.index0 == 0);
  if (name == "last") return Value(!loop.peek().has_value());
  if (name == "length") return Value(loop.length(runtime));
  if (name == "revindex") return Value(loop.length(runtime) - loop.index0);
  if (name == "revindex0") return Value(loop.length(runtime) - loop.index0 - 1);
  if (name == "previtem") {
    return loop.index0 == 0 || !loop.before ? Value::undefined("there is no previous item") : *loop.before;
  }
  if (name == "nextitem") return loop.peek() ? *loop.peek() : Value::undefined("there is no next item");
  if (name == "depth") return Value(std::int64_t{1});
  if (name == "depth0") return Value(std::int64_t{0});
  if (name == "cycle") return Value(std::make_shared<const Callable>(Callable{"loop.cycle", loop_cycle, object}));
  if (name == "changed") return Value(std::make_shared<const Callable>(Callable{"loop.changed", loop_changed, object}));
  return {};
}

std::optional<Value> item_at(Runtime& runtime, const Value& object, std::int64_t index) {
  const std::int64_t count = *length(runtime, object);
  if (index < 0) index += count;
  if (index < 0 || index >= count) return {};
  if (const Range* range = object.as<Range>()) return Value(range->at(index));
  if (const Sequence* sequence = object.sequence()) return sequence->items[static_cast<std::size_t>(index)];
  const Text& text = *object.text();
  std::size_t begin = 0;
  for (std::int64_t i = 0; i < index; ++i) next_code_point(text.bytes(), begin);
  std::size_t end = begin;
  next_code_point(text.bytes(), end);
  return Value(text.slice(begin, end));
}

// Python's slice.indices(): which of `count` items, from `first` on, in steps.
struct Indices {
  std::int64_t first;
  std::int64_t stop;
  std::int64_t step;
  std::int64_t count;
};

Indices indices(std::int64_t length, std::optional<std::int64_t> start, std::optional<std::int64_t> stop,
                std::int64_t step) {
  const std::int64_t lowest = step < 0 ? -1 : 0;
  const std::int64_t highest = step < 0 ? length - 1 : length;
  const auto place = [&](std::optional<std::int64_t> given, std::int64_t otherwise) {
    if (!given) return otherwise;
    if (*given < 0) return std::max(*given < -length ? lowest : *given + length, lowest);
    return std::min(*given, highest);
  };
  const std::int64_t first = place(start, step < 0 ? highest : lowest);
  const std::int64_t last = place(stop, step < 0 ? lowest : highest);
  const std::int64_t distance = step < 0 ? first - last : last - first;
  if (distance <= 0) return {first, last, step, 0};
  const std::uint64_t stride = step < 0 ? 0 - static_cast<std::uint64_t>(step) : static_cast<std::uint64_t>(step);
  return {first, last, step, static_cast<std::int64_t>((static_cast<std::uint64_t>(distance) - 1) / stride) + 1};
}

Text slice_text(Runtime& runtime, const Text& text, const Indices& which) {
  std::vector<std::size_t> begins;
  for (std::size_t at = 0; at < text.size(); next_code_point(text.bytes(), at)) begins.push_back(at);
  begins.push_back(text.size());
  runtime.spend(begins.size(), sizeof(std::size_t));
  Text out;
  out.escaped = text.escaped;
  if (which.step == 1 && which.count > 0) {
    out.append(text, begins[static_cast<std::size_t>(which.first)],
               begins[static_cast<std::size_t>(which.first + which.count)]);
    return out;
  }
  for (std::int64_t n = 0; n < which.count; ++n) {
    const auto i = static_cast<std::size_t>(which.first + n * which.step);
    out.append(text, begins[i], begins[i + 1]);
  }
  return out;
}

std::optional<std::int64_t> slice_part(Runtime& runtime, const Value& value) {
  if (value.is<None>()) return {};
  if (const auto i = value.integer()) return *i;
  if (const Undefined* undefined = value.as<Undefined>()) runtime.fail("{}", *undefined->why);
  runtime.fail("a slice needs integers, not a {}", type_name(value));
}

}  // namespace

std::optional<Value> own_attribute(Runtime& runtime, const Value& object, std::string_view name) {
  if (const Undefined* undefined = object.as<Undefined>()) runtime.fail("{}", *undefined->why);
  if (is_hidden(object, name)) {
    return Value::undefined(
        fmt::format("'{}' of a {} is hidden: templates cannot change or inspect objects", name, type_name(object)));
  }
  if (object.is<Namespace*>()) {
    const Value* value = (*object.as<Namespace*>())->find(name);
    return value != nullptr ? std::optional<Value>(*value) : std::nullopt;
  }
  if (object.is<Loop*>()) return loop_attribute(runtime, object, name);
  if (const Builtin method = find_method(object, name)) {
    return Value(std::make_shared<const Callable>(Callable{std::string(name), method, object}));
  }
  if (is_missing_here(object, name)) runtime.fail("unsupported: '{}' of a {}", name, type_name(object));
  return {};
}

Value get_attribute(Runtime& runtime, const Value& object, std::string_view name) {
  if (std::optional<Value> own = own_attribute(runtime, object, name)) return *own;
  if (const Dict* dict = object.dict()) {
    if (const Value* value = dict->find(runtime, name)) return *value;
  }
  return no_attribute(object, name);
}

Value get_item(Runtime& runtime, const Value& object, const Value& index) {
  if (const Undefined* undefined = object.as<Undefined>()) runtime.fail("{}", *undefined->why);
  if (const Dict* dict = object.dict()) {
    const Value* value = hashable(runtime, index) ? dict->find(runtime, index) : nullptr;
    if (value != nullptr) return *value;
  } else if (index.integer() && (object.text() != nullptr || object.sequence() != nullptr || object.is<Range>())) {
    if (std::optional<Value> item = item_at(runtime, object, *index.integer())) return *item;
  }
  if (index.text() != nullptr) {
    if (std::optional<Value> own = own_attribute(runtime, object, index.text()->bytes())) return *own;
    return no_attribute(object, index.text()->bytes());
  }
  return Value::undefined(fmt::format("a {} has no such element", type_name(object)));
}

Value get_slice(Runtime& runtime, const Value& object, const Value& start, const Value& stop, const Value& step) {
  if (const Undefined* undefined = object.as<Undefined>()) runtime.fail("{}", *undefined->why);
  if (object.text() == nullptr && object.sequence() == nullptr && !object.is<Range>()) {
    runtime.fail("a {} cannot be sliced", type_name(object));
  }
  const std::int64_t stride = slice_part(runtime, step).value_or(1);
  if (stride == 0) runtime.fail("a slice cannot go in steps of 0");
  const auto first = slice_part(runtime, start);
  const auto last = slice_part(runtime, stop);
  const Indices which = indices(*length(runtime, object), first, last, stride);
  if (const Text* text = object.text()) return Value(slice_text(runtime, *text, which));
  if (const Range* range = object.as<Range>()) {
    std::int64_t combined = 0;
    if (__builtin_mul_overflow(range->step, which.step, &combined)) {
      runtime.fail("unsupported: an integer of more than 64 bits");
    }
    return Value(Range{range->at(which.first), range->at(which.stop), combined, which.count});
  }
  const Sequence& sequence = *object.sequence();
  std::vector<Value> items;
  runtime.spend(static_cast<std::size_t>(which.count), sizeof(Value));
  for (std::int64_t n = 0; n < which.count; ++n) {
    items.push_back(sequence.items[static_cast<std::size_t>(which.first + n * which.step)]);
  }
  return sequence.is_tuple ? Value::tuple(runtime, std::move(items)) : Value::list(runtime, std::move(items));
}

}  // namespace rung::jinja
