// Values as text: Python's str() and repr().
#include "templates/jinja/evaluator.h"
#include "templates/jinja/unicode.h"
#include "templates/jinja/value.h"

#include <cmath>

namespace rung::jinja {

namespace {

void append_string_repr(Runtime& runtime, Text& out, const Text& text) {
  runtime.spend(text.size());
  const std::string& bytes = text.bytes();
  const char quote = bytes.find('\'') != std::string::npos && bytes.find('"') == std::string::npos ? '"' : '\'';
  if (text.escaped) out.append("Markup(");
  out.append(std::string(1, quote));
  for (std::size_t at = 0; at < bytes.size();) {
    const std::size_t begin = at;
    const char32_t c = next_code_point(bytes, at);
    std::string shown;
    if (c == U'\n') {
      shown = "\\n";
    } else if (c == U'\r') {
      shown = "\\r";
    } else if (c == U'\t') {
      shown = "\\t";
    } else if (c == U'\\' || c == static_cast<char32_t>(quote)) {
      shown = std::string("\\") + static_cast<char>(c);
    } else if (is_printable(c)) {
      shown = bytes.substr(begin, at - begin);
    } else {
      const auto number = static_cast<std::uint32_t>(c);
      shown = number < 0x100     ? fmt::format("\\x{:02x}", number)
              : number < 0x10000 ? fmt::format("\\u{:04x}", number)
                                 : fmt::format("\\U{:08x}", number);
    }
    out.append(shown, text.writer_of(begin));
  }
  out.append(std::string(1, quote));
  if (text.escaped) out.append(")");
}

void append_items(Runtime& runtime, Text& out, const std::vector<Value>& items, std::string_view open,
                  std::string_view close) {
  out.append(open);
  for (std::size_t i = 0; i < items.size(); ++i) {
    if (i != 0) out.append(", ");
    append_repr(runtime, out, items[i]);
  }
  out.append(close);
}

void append_entries(Runtime& runtime, Text& out, const Dict& dict) {
  out.append("{");
  bool first = true;
  for (const auto& [key, value] : dict.entries) {
    if (!first) out.append(", ");
    first = false;
    append_repr(runtime, out, key);
    out.append(": ");
    append_repr(runtime, out, value);
  }
  out.append("}");
}

void append_view(Runtime& runtime, Text& out, const View& view) {
  static constexpr std::string_view names[] = {"dict_keys", "dict_values", "dict_items"};
  out.append(names[static_cast<int>(view.kind)]);
  append_items(runtime, out, to_vector(runtime, Value(view)), "([", "])");
}

void append_namespace(Runtime& runtime, Text& out, const Namespace& space) {
  out.append("<Namespace {");
  bool first = true;
  for (const auto& [key, value] : space.attributes) {
    if (!first) out.append(", ");
    first = false;
    append_string_repr(runtime, out, Text::trusted(key));
    out.append(": ");
    append_repr(runtime, out, value);
  }
  out.append("}>");
}

std::string range_repr(const Range& range) {
  const std::string bounds = fmt::format("range({}, {}", range.start, range.stop);
  return range.step == 1 ? bounds + ")" : fmt::format("{}, {})", bounds, range.step);
}

}  // namespace

std::string float_repr(double value) {
  if (std::isnan(value)) return "nan";
  std::string text = fmt::format("{}", value);
  if (text.find_first_not_of("-0123456789") == std::string::npos) text += ".0";
  return text;
}

void append_repr(Runtime& runtime, Text& out, const Value& value) {
  runtime.spend(kStepBytes);
  const Runtime::Nested nested(runtime);
  if (value.text() != nullptr) return append_string_repr(runtime, out, *value.text());
  if (value.is<Undefined>()) return out.append("Undefined");
  if (value.is<None>()) return out.append("None");
  if (const bool* b = value.as<bool>()) return out.append(*b ? "True" : "False");
  if (const std::int64_t* i = value.as<std::int64_t>()) return out.append(fmt::format("{}", *i));
  if (const double* d = value.as<double>()) return out.append(float_repr(*d));
  if (const Sequence* s = value.sequence()) {
    const std::string_view close = !s->is_tuple ? "]" : s->items.size() == 1 ? ",)" : ")";
    return append_items(runtime, out, s->items, s->is_tuple ? "(" : "[", close);
  }
  if (value.dict() != nullptr) return append_entries(runtime, out, *value.dict());
  if (value.is<View>()) return append_view(runtime, out, *value.as<View>());
  if (value.is<Range>()) return out.append(range_repr(*value.as<Range>()));
  if (value.is<Namespace*>()) return append_namespace(runtime, out, **value.as<Namespace*>());
  if (value.is<Loop*>()) {
    Loop& loop = **value.as<Loop*>();
    return out.append(fmt::format("<LoopContext {}/{}>", loop.index0 + 1, loop.length(runtime)));
  }
  if (value.is<Macro*>()) {
    const std::string& name = (*value.as<Macro*>())->code->name;
    return out.append(name.empty() ? "<Macro anonymous>" : fmt::format("<Macro '{}'>", name));
  }
  runtime.fail("unsupported: a {} as text{}", type_name(value),
               value.is<CallablePtr>()
                   ? fmt::format(" ('{}' is not called: parentheses are missing)", (*value.as<CallablePtr>())->name)
                   : "");
}

void append_text(Runtime& runtime, Text& out, const Value& value) {
  if (const Text* text = value.text()) {
    runtime.spend(text->memory());
    out.append(*text);
  } else if (!value.is<Undefined>()) {
    append_repr(runtime, out, value);
  }
}

Text to_text(Runtime& runtime, const Value& value) {
  if (value.text() != nullptr) return *value.text();
  Text out;
  append_text(runtime, out, value);
  return out;
}

}  // namespace rung::jinja
