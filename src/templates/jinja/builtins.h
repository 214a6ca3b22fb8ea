// What a template can call and look up: filters, tests, methods, global functions.  Milestone M8.
#pragma once

#include "templates/jinja/value.h"

#include <string_view>

namespace rung::jinja {

struct NamedBuiltin {
  std::string_view name;
  Builtin function;
};

// Null where there is none.
Builtin find_filter(std::string_view name);
Builtin find_test(std::string_view name);
Builtin find_global(std::string_view name);

// object.name, object[index], object[start:stop:step], with jinja2's rules: an absent thing is undefined, a part of an
// undefined one is an error.
Value get_attribute(Runtime& runtime, const Value& object, std::string_view name);
Value get_item(Runtime& runtime, const Value& object, const Value& index);
Value get_slice(Runtime& runtime, const Value& object, const Value& start, const Value& stop, const Value& step);
// The methods of strings, lists and dicts; and whether jinja2's sandbox hides a name that Python has there.
Builtin find_method(const Value& object, std::string_view name);
// An attribute proper, where `object.name` does not fall back to `object["name"]`. Empty: there is none.
std::optional<Value> own_attribute(Runtime& runtime, const Value& object, std::string_view name);

// Arguments as numbers and strings, or an error that names the function.
std::int64_t int_argument(Runtime& runtime, std::string_view function, const Value* value, std::int64_t otherwise);
bool bool_argument(Runtime& runtime, const Value* value, bool otherwise);

// json.dumps(value, …) as transformers calls it.
struct JsonStyle {
  bool ascii = false;
  bool sort_keys = false;
  std::optional<Text> indent;
  Text item_separator = Text::trusted(", ");
  Text key_separator = Text::trusted(": ");
};
Text to_json(Runtime& runtime, const Value& value, const JsonStyle& style);

// "…" % values, and "…".format(values).
Text format_percent(Runtime& runtime, const Text& format, const Value& values);
Text format_braces(Runtime& runtime, const Text& format, const Args& args);

}  // namespace rung::jinja
