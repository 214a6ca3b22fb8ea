// tojson: Python's json.dumps, byte for byte.  Milestone M8.
#include "base/utf8.h"
#include "templates/jinja/builtins.h"
#include "templates/jinja/merge_sort.h"
#include "templates/jinja/unicode.h"

#include <cmath>

namespace rung::jinja {

namespace {

std::string json_float(double value) {
  if (std::isnan(value)) return "NaN";
  if (std::isinf(value)) return value > 0 ? "Infinity" : "-Infinity";
  return float_repr(value);
}

std::string escape(char32_t c, bool ascii) {
  switch (c) {
    case U'"': return "\\\"";
    case U'\\': return "\\\\";
    case U'\n': return "\\n";
    case U'\r': return "\\r";
    case U'\t': return "\\t";
    case U'\f': return "\\f";
    case U'\b': return "\\b";
    default: break;
  }
  const auto number = static_cast<std::uint32_t>(c);
  if (number < 0x20 || (ascii && number > 0x7e && number < 0x10000)) return fmt::format("\\u{:04x}", number);
  if (ascii && number >= 0x10000) {
    return fmt::format("\\u{:04x}\\u{:04x}", 0xd800 + ((number - 0x10000) >> 10),
                       0xdc00 + ((number - 0x10000) & 0x3ff));
  }
  std::string same;
  append_utf8(same, c);
  return same;
}

class JsonWriter {
 public:
  JsonWriter(Runtime& runtime, const JsonStyle& style) : runtime_(runtime), style_(style) {}

  void write(const Value& value) {
    const Runtime::Nested nested(runtime_);
    runtime_.spend(kStepBytes);
    if (value.text() != nullptr) return string(*value.text());
    if (value.sequence() != nullptr) return list(*value.sequence());
    if (value.dict() != nullptr) return object(*value.dict());
    const std::optional<std::string> simple = simple_text(value);
    if (!simple) {
      runtime_.fail("tojson cannot write a {}{}", type_name(value),
                    value.is<Undefined>() ? " (" + *value.as<Undefined>()->why + ")" : "");
    }
    out_.append(*simple);
  }

  Text take() { return std::move(out_); }

 private:
  static std::optional<std::string> simple_text(const Value& value) {
    if (value.is<None>()) return "null";
    if (const bool* b = value.as<bool>()) return *b ? "true" : "false";
    if (const std::int64_t* i = value.as<std::int64_t>()) return fmt::format("{}", *i);
    if (const double* d = value.as<double>()) return json_float(*d);
    return {};
  }

  void string(const Text& text) {
    runtime_.spend(text.size());
    out_.append("\"");
    for (std::size_t at = 0; at < text.size();) {
      const std::size_t begin = at;
      const char32_t c = next_code_point(text.bytes(), at);
      out_.append(escape(c, style_.ascii), text.writer_of(begin));
    }
    out_.append("\"");
  }

  void line_break() {
    if (!style_.indent) return;
    out_.append("\n");
    runtime_.spend(static_cast<std::size_t>(level_), style_.indent->size());
    for (int i = 0; i < level_; ++i) out_.append(*style_.indent);
  }

  void separator() {
    runtime_.spend(style_.item_separator.size());
    out_.append(style_.item_separator);
  }

  void list(const Sequence& sequence) {
    if (sequence.items.empty()) return out_.append("[]");
    out_.append("[");
    ++level_;
    for (std::size_t i = 0; i < sequence.items.size(); ++i) {
      if (i != 0) separator();
      line_break();
      write(sequence.items[i]);
    }
    --level_;
    line_break();
    out_.append("]");
  }

  void object(const Dict& dict) {
    if (dict.entries.empty()) return out_.append("{}");
    std::vector<std::pair<Value, Value>> sorted;
    if (style_.sort_keys) {
      runtime_.spend(dict.entries.size(), 2 * sizeof(Value));
      sorted = dict.entries;
      merge_sort(sorted, [&](const auto& a, const auto& b) { return less(runtime_, a.first, b.first); });
    }
    out_.append("{");
    ++level_;
    bool first = true;
    for (const auto& [key, value] : style_.sort_keys ? sorted : dict.entries) {
      if (!first) separator();
      first = false;
      line_break();
      this->key(key);
      runtime_.spend(style_.key_separator.size());
      out_.append(style_.key_separator);
      write(value);
    }
    --level_;
    line_break();
    out_.append("}");
  }

  void key(const Value& value) {
    if (value.text() != nullptr) return string(*value.text());
    const std::optional<std::string> simple = simple_text(value);
    if (!simple) runtime_.fail("tojson cannot write a {} as a key", type_name(value));
    string(Text::trusted(*simple));
  }

  Runtime& runtime_;
  const JsonStyle& style_;
  Text out_;
  int level_ = 0;
};

}  // namespace

Text to_json(Runtime& runtime, const Value& value, const JsonStyle& style) {
  JsonWriter writer(runtime, style);
  writer.write(value);
  return writer.take();
}

}  // namespace rung::jinja
