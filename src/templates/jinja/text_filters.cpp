// Filters that make or change one value: text, numbers, JSON.  Milestone M8.
#include "templates/jinja/filter_tables.h"
#include "templates/jinja/literals.h"
#include "templates/jinja/text_functions.h"
#include "templates/jinja/unicode.h"

#include <array>
#include <cmath>
#include <limits>

namespace rung::jinja {

namespace {

// What most of jinja2's string filters begin with: str(value), and the mark of |escape kept.
Text soft_text(Runtime& runtime, const Value& value) { return to_text(runtime, value); }

Text plain_text(Runtime& runtime, const Value& value) {
  Text text = to_text(runtime, value);
  text.escaped = false;
  return text;
}

template <Case target>
Value case_filter(Runtime& runtime, const Value& self, const Args& args) {
  args.bind(runtime, "upper or lower", {});
  const Text text = soft_text(runtime, self);
  runtime.spend(text.size(), 3);
  return Value(with_case(text, target));
}

template <Text (*function)(const Text&)>
Value text_filter(Runtime& runtime, const Value& self, const Args& args) {
  args.bind(runtime, "this filter", {});
  const Text text = soft_text(runtime, self);
  runtime.spend(text.size(), 3);
  return Value(function(text));
}

Value trim_filter(Runtime& runtime, const Value& self, const Args& args) {
  const auto a = args.bind(runtime, "trim", {"chars"});
  return Value(strip(runtime, soft_text(runtime, self), Strip::both, a[0]));
}

Value string_filter(Runtime& runtime, const Value& self, const Args& args) {
  args.bind(runtime, "string", {});
  return Value(soft_text(runtime, self));
}

Value escape_filter(Runtime& runtime, const Value& self, const Args& args) {
  args.bind(runtime, "escape", {});
  const Text text = soft_text(runtime, self);
  runtime.spend(text.size(), 5);
  return Value(html_escape(text));
}

Value forceescape_filter(Runtime& runtime, const Value& self, const Args& args) {
  args.bind(runtime, "forceescape", {});
  const Text text = plain_text(runtime, self);
  runtime.spend(text.size(), 5);
  return Value(html_escape(text));
}

Value safe_filter(Runtime& runtime, const Value& self, const Args& args) {
  args.bind(runtime, "safe", {});
  Text text = to_text(runtime, self);
  text.escaped = true;
  return Value(std::move(text));
}

Value replace_filter(Runtime& runtime, const Value& self, const Args& args) {
  const auto a = args.bind(runtime, "replace", {"old", "new", "count"}, 2);
  const bool all = a[2] == nullptr || a[2]->is<None>();
  const std::int64_t most = all ? -1 : int_argument(runtime, "replace", a[2], -1);
  return Value(
      replace(runtime, plain_text(runtime, self), plain_text(runtime, *a[0]), plain_text(runtime, *a[1]), most));
}

Value center_filter(Runtime& runtime, const Value& self, const Args& args) {
  const auto a = args.bind(runtime, "center", {"width"});
  return Value(pad(runtime, soft_text(runtime, self), int_argument(runtime, "center", a[0], 80), Align::center, " "));
}

Value indent_filter(Runtime& runtime, const Value& self, const Args& args) {
  const auto a = args.bind(runtime, "indent", {"width", "first", "blank"});
  if (self.text() == nullptr) runtime.fail("indent needs a string, not a {}", type_name(self));
  refuse_escaped(runtime, *self.text(), "indent");
  const bool first = bool_argument(runtime, a[1], false);
  const bool blank = bool_argument(runtime, a[2], false);
  const Text indention = a[0] != nullptr && a[0]->text() != nullptr
                             ? *a[0]->text()
                             : pad(runtime, Text(), int_argument(runtime, "indent", a[0], 4), Align::left, " ");
  Text ended = *self.text();
  ended.append("\n");  // so that a last, empty line counts
  Text out;
  bool is_first = true;
  for (const Value& line : split_lines(runtime, ended, false)) {
    if (!is_first) out.append("\n");
    const bool indented = is_first ? first : blank || !line.text()->empty();
    if (indented) {
      runtime.spend(indention.size());
      out.append(indention);
    }
    out.append(*line.text());
    is_first = false;
  }
  return Value(std::move(out));
}

Value truncate_filter(Runtime& runtime, const Value& self, const Args& args) {
  const auto a = args.bind(runtime, "truncate", {"length", "killwords", "end", "leeway"});
  const Text end = a[2] != nullptr ? soft_text(runtime, *a[2]) : Text::trusted("...");
  const std::int64_t most = int_argument(runtime, "truncate", a[0], 255);
  const std::int64_t leeway = a[3] == nullptr || a[3]->is<None>() ? 5 : int_argument(runtime, "truncate", a[3], 5);
  const auto end_length = static_cast<std::int64_t>(count_code_points(end.bytes()));
  if (most < end_length || leeway < 0) {
    runtime.fail("truncate: the length must be at least that of the end, and the leeway at least 0");
  }
  const std::optional<std::int64_t> count = length(runtime, self);
  if (count && *count - most <= leeway) return self;
  if (self.text() == nullptr) runtime.fail("truncate needs a string, not a {}", type_name(self));
  const Value kept = get_slice(runtime, self, Value(None{}), Value(most - end_length), Value(None{}));
  Text out = *kept.text();
  if (!bool_argument(runtime, a[1], false)) {
    const std::size_t blank = out.bytes().rfind(' ');
    if (blank != std::string::npos) out = out.slice(0, blank);
  }
  out.append(end);
  return Value(std::move(out));
}

Value default_filter(Runtime& runtime, const Value& self, const Args& args) {
  const auto a = args.bind(runtime, "default", {"default_value", "boolean"});
  const bool also_false = bool_argument(runtime, a[1], false);
  if (!self.is<Undefined>() && !(also_false && !truthy(runtime, self))) return self;
  return a[0] != nullptr ? *a[0] : Value::of_string("");
}

Value format_filter(Runtime& runtime, const Value& self, const Args& args) {
  if (!args.positional.empty() && !args.named.empty()) {
    runtime.fail("format takes arguments by place or by name, not both");
  }
  if (args.named.empty()) {
    return Value(format_percent(runtime, soft_text(runtime, self), Value::tuple(runtime, args.positional)));
  }
  DictBuilder named(runtime);
  for (const auto& [name, value] : args.named) named.append_new(Value::of_string(name), value);
  return Value(format_percent(runtime, soft_text(runtime, self), std::move(named).build()));
}

// ---- numbers

// Python's int(float); empty for what is no number.
std::optional<std::int64_t> truncate(Runtime& runtime, double value) {
  if (std::isnan(value)) return {};
  if (!(value > -0x1p63 && value < 0x1p63)) runtime.overflow();
  return static_cast<std::int64_t>(value);
}

Value int_filter(Runtime& runtime, const Value& self, const Args& args) {
  const auto a = args.bind(runtime, "int", {"default", "base"});
  const Value otherwise = a[0] != nullptr ? *a[0] : Value(std::int64_t{0});
  if (const Undefined* undefined = self.as<Undefined>()) runtime.fail("{}", *undefined->why);
  if (const auto i = self.integer()) return Value(*i);
  if (const double* d = self.as<double>()) {
    if (std::isinf(*d)) runtime.fail("infinity is no integer");
    const auto whole = truncate(runtime, *d);
    return whole ? Value(*whole) : otherwise;
  }
  if (self.text() == nullptr) return otherwise;
  bool too_large = false;
  const auto parsed = parse_int(self.text()->bytes(), int_argument(runtime, "int", a[1], 10), too_large);
  if (too_large) runtime.overflow();
  if (parsed) return Value(*parsed);
  const auto fraction = parse_float(self.text()->bytes());  // "42.23"|int is 42
  if (!fraction || !std::isfinite(*fraction)) return otherwise;
  return Value(*truncate(runtime, *fraction));
}

Value float_filter(Runtime& runtime, const Value& self, const Args& args) {
  const auto a = args.bind(runtime, "float", {"default"});
  if (const Undefined* undefined = self.as<Undefined>()) runtime.fail("{}", *undefined->why);
  if (const auto number = self.number()) return Value(*number);
  if (self.text() != nullptr) {
    if (const auto parsed = parse_float(self.text()->bytes())) return Value(*parsed);
  }
  return a[0] != nullptr ? *a[0] : Value(0.0);
}

Value abs_filter(Runtime& runtime, const Value& self, const Args& args) {
  args.bind(runtime, "abs", {});
  if (const auto i = self.integer()) {
    if (*i == std::numeric_limits<std::int64_t>::min()) runtime.overflow();
    return Value(*i < 0 ? -*i : *i);
  }
  if (const double* d = self.as<double>()) return Value(std::fabs(*d));
  runtime.fail("abs needs a number, not a {}", type_name(self));
}

// Python's round(): to the nearest, of two equally near the even one, judged by the float's exact decimal value, as
// printf does.
double round_half_even(Runtime& runtime, double value, std::int64_t digits) {
  if (!std::isfinite(value) || digits > 400) return value;
  if (digits < 0) runtime.fail("unsupported: rounding a float to tens or more");
  return float_value(fmt::format("{:.{}f}", std::fabs(value), static_cast<int>(digits))) *
         (std::signbit(value) ? -1.0 : 1.0);
}

std::int64_t round_int(Runtime& runtime, std::int64_t value, std::int64_t digits) {
  if (digits >= 0) return value;
  if (digits < -18) runtime.fail("unsupported: rounding to so many zeros");
  std::int64_t unit = 1;
  for (std::int64_t i = digits; i < 0; ++i) unit *= 10;
  std::int64_t rest = value % unit;
  if (rest < 0) rest += unit;
  std::int64_t down = 0;
  if (__builtin_sub_overflow(value, rest, &down)) runtime.overflow();
  const bool up = rest > unit / 2 || (rest == unit / 2 && (down / unit) % 2 != 0);
  std::int64_t result = down;
  if (up && __builtin_add_overflow(down, unit, &result)) runtime.overflow();
  return result;
}

Value round_filter(Runtime& runtime, const Value& self, const Args& args) {
  const auto a = args.bind(runtime, "round", {"precision", "method"});
  const std::string method = a[1] == nullptr ? "common" : a[1]->text() != nullptr ? a[1]->text()->bytes() : "";
  if (method != "common" && method != "ceil" && method != "floor") {
    runtime.fail("round: the method must be 'common', 'ceil' or 'floor'");
  }
  const bool whole = method == "common" && a[0] != nullptr && a[0]->is<None>();
  const std::int64_t digits = whole ? 0 : int_argument(runtime, "round", a[0], 0);
  if (!self.number()) runtime.fail("round needs a number, not a {}", type_name(self));
  if (method == "common") {
    if (const auto i = self.integer()) return Value(round_int(runtime, *i, digits));
    const double rounded = round_half_even(runtime, *self.number(), digits);
    if (!whole) return Value(rounded);
    const auto integer = truncate(runtime, rounded);
    if (!integer) runtime.fail("a float that is not a number has no integer");
    return Value(*integer);
  }
  if (digits < -300 || digits > 300) runtime.fail("round: a precision of {} is out of reach", digits);
  const double scale =
      digits >= 0 ? std::pow(10.0, static_cast<double>(digits)) : 1.0 / std::pow(10.0, static_cast<double>(-digits));
  const double scaled = *self.number() * scale;
  const double moved = method == "ceil" ? std::ceil(scaled) : std::floor(scaled);
  if (!truncate(runtime, moved)) runtime.fail("a float that is not a number has no integer");
  return Value(moved / scale + 0.0);
}

// ---- JSON

Value tojson_filter(Runtime& runtime, const Value& self, const Args& args) {
  const auto a = args.bind(runtime, "tojson", {"ensure_ascii", "indent", "separators", "sort_keys"});
  JsonStyle style;
  style.ascii = a[0] != nullptr && truthy(runtime, *a[0]);
  style.sort_keys = a[3] != nullptr && truthy(runtime, *a[3]);
  if (a[1] != nullptr && !a[1]->is<None>()) {
    style.item_separator = Text::trusted(",");
    style.indent = a[1]->text() != nullptr
                       ? *a[1]->text()
                       : pad(runtime, Text(), int_argument(runtime, "tojson", a[1], 0), Align::left, " ");
  }
  if (a[2] != nullptr && !a[2]->is<None>()) {
    const Sequence* pair = a[2]->sequence();
    if (pair == nullptr || pair->items.size() != 2 || pair->items[0].text() == nullptr ||
        pair->items[1].text() == nullptr) {
      runtime.fail("tojson: separators must be two strings");
    }
    style.item_separator = *pair->items[0].text();
    style.key_separator = *pair->items[1].text();
  }
  return Value(to_json(runtime, self, style));
}

constexpr std::array<NamedBuiltin, 22> kTextFilters = {{
    {"abs", abs_filter},
    {"capitalize", text_filter<capitalize>},
    {"center", center_filter},
    {"d", default_filter},
    {"default", default_filter},
    {"e", escape_filter},
    {"escape", escape_filter},
    {"float", float_filter},
    {"forceescape", forceescape_filter},
    {"format", format_filter},
    {"indent", indent_filter},
    {"int", int_filter},
    {"lower", case_filter<Case::lower>},
    {"replace", replace_filter},
    {"round", round_filter},
    {"safe", safe_filter},
    {"string", string_filter},
    {"title", text_filter<title_words>},
    {"tojson", tojson_filter},
    {"trim", trim_filter},
    {"truncate", truncate_filter},
    {"upper", case_filter<Case::upper>},
}};

}  // namespace

std::span<const NamedBuiltin> text_filters() { return kTextFilters; }

}  // namespace rung::jinja
