// The methods of strings, lists and dicts.  Milestone M8.
#include "templates/jinja/builtins.h"
#include "templates/jinja/text_functions.h"
#include "templates/jinja/unicode.h"

#include <algorithm>
#include <array>

namespace rung::jinja {

namespace {

const Text& text_argument(Runtime& runtime, std::string_view function, const Value& value) {
  if (value.text() == nullptr) runtime.fail("{} needs a string, not a {}", function, type_name(value));
  return *value.text();
}

// ---- strings

template <Strip ends>
Value strip_method(Runtime& runtime, const Value& self, const Args& args) {
  const auto a = args.bind_positional(runtime, "strip", 0, 1);
  return Value(strip(runtime, *self.text(), ends, a[0]));
}

template <Case target>
Value case_method(Runtime& runtime, const Value& self, const Args& args) {
  args.bind_positional(runtime, "upper or lower", 0, 0);
  runtime.spend(self.text()->size(), 3);
  return Value(with_case(*self.text(), target));
}

template <Text (*function)(const Text&)>
Value text_method(Runtime& runtime, const Value& self, const Args& args) {
  args.bind_positional(runtime, "this method", 0, 0);
  runtime.spend(self.text()->size(), 3);
  return Value(function(*self.text()));
}

template <std::vector<Value> (*function)(Runtime&, const Text&, const Text*, std::int64_t)>
Value split_method(Runtime& runtime, const Value& self, const Args& args) {
  const auto a = args.bind(runtime, "split", {"sep", "maxsplit"});
  const bool at_spaces = a[0] == nullptr || a[0]->is<None>();
  const Text* separator = at_spaces ? nullptr : &text_argument(runtime, "split", *a[0]);
  return Value::list(runtime, function(runtime, *self.text(), separator, int_argument(runtime, "split", a[1], -1)));
}

Value splitlines_method(Runtime& runtime, const Value& self, const Args& args) {
  const auto a = args.bind(runtime, "splitlines", {"keepends"});
  return Value::list(runtime, split_lines(runtime, *self.text(), bool_argument(runtime, a[0], false)));
}

template <bool from_right>
Value partition_method(Runtime& runtime, const Value& self, const Args& args) {
  const auto a = args.bind_positional(runtime, "partition", 1, 1);
  const Text& text = *self.text();
  const Text& by = text_argument(runtime, "partition", *a[0]);
  if (by.empty()) runtime.fail("an empty separator");
  runtime.spend(text.size());
  const std::size_t at = from_right ? text.bytes().rfind(by.bytes()) : text.bytes().find(by.bytes());
  const Value nothing = Value::of_string("");
  if (at == std::string::npos) {
    return from_right ? Value::tuple(runtime, {nothing, nothing, self})
                      : Value::tuple(runtime, {self, nothing, nothing});
  }
  return Value::tuple(runtime, {Value(text.slice(0, at)), *a[0], Value(text.slice(at + by.size(), text.size()))});
}

// What the optional start and stop of find(), count() and startswith() leave of the text, as bytes.
std::optional<ByteRange> part_of(Runtime& runtime, const Text& text, const Value* start, const Value* stop) {
  runtime.spend(text.size());
  if (start == nullptr && stop == nullptr) return ByteRange{0, text.size()};
  const auto count = static_cast<std::int64_t>(count_code_points(text.bytes()));
  const auto place = [&](const Value* given, std::int64_t otherwise) {
    if (given == nullptr || given->is<None>()) return otherwise;
    const std::int64_t i = int_argument(runtime, "a part of a string", given, 0);
    return i < 0 ? std::max<std::int64_t>(i < -count ? 0 : i + count, 0) : i;
  };
  const std::int64_t first = place(start, 0);
  const std::int64_t last = std::min(place(stop, count), count);
  if (first > last) return {};
  std::size_t begin = 0;
  for (std::int64_t i = 0; i < first; ++i) next_code_point(text.bytes(), begin);
  std::size_t end = begin;
  for (std::int64_t i = first; i < last; ++i) next_code_point(text.bytes(), end);
  return ByteRange{begin, end};
}

template <bool at_end>
Value affix_method(Runtime& runtime, const Value& self, const Args& args) {
  const std::string_view name = at_end ? "endswith" : "startswith";
  const auto a = args.bind_positional(runtime, name, 1, 3);
  std::vector<Value> candidates = {*a[0]};
  if (a[0]->is_tuple()) candidates = a[0]->sequence()->items;
  const std::optional<ByteRange> part = part_of(runtime, *self.text(), a[1], a[2]);
  for (const Value& candidate : candidates) {
    const std::string& affix = text_argument(runtime, name, candidate).bytes();
    if (!part || affix.size() > part->end - part->begin) continue;
    const std::size_t at = at_end ? part->end - affix.size() : part->begin;
    if (self.text()->bytes().compare(at, affix.size(), affix) == 0) return Value(true);
  }
  return Value(false);
}

template <bool from_right, bool must_find>
Value find_method_of_text(Runtime& runtime, const Value& self, const Args& args) {
  const auto a = args.bind_positional(runtime, "find", 1, 3);
  const std::string& what = text_argument(runtime, "find", *a[0]).bytes();
  const std::optional<ByteRange> part = part_of(runtime, *self.text(), a[1], a[2]);
  std::size_t at = std::string::npos;
  if (part) {
    const std::string_view where = std::string_view(self.text()->bytes()).substr(part->begin, part->end - part->begin);
    at = from_right ? where.rfind(what) : where.find(what);
  }
  if (at != std::string::npos) {
    return Value(static_cast<std::int64_t>(
        count_code_points(std::string_view(self.text()->bytes()).substr(0, part->begin + at))));
  }
  if (must_find) runtime.fail("substring not found");
  return Value(std::int64_t{-1});
}

Value count_method(Runtime& runtime, const Value& self, const Args& args) {
  const auto a = args.bind_positional(runtime, "count", 1, 3);
  const std::string& what = text_argument(runtime, "count", *a[0]).bytes();
  const std::optional<ByteRange> part = part_of(runtime, *self.text(), a[1], a[2]);
  if (!part) return Value(std::int64_t{0});
  const std::string_view where = std::string_view(self.text()->bytes()).substr(part->begin, part->end - part->begin);
  if (what.empty()) return Value(static_cast<std::int64_t>(count_code_points(where)) + 1);
  std::int64_t count = 0;
  for (std::size_t at = where.find(what); at != std::string_view::npos; at = where.find(what, at + what.size())) {
    ++count;
  }
  return Value(count);
}

Value replace_method(Runtime& runtime, const Value& self, const Args& args) {
  const auto a = args.bind_positional(runtime, "replace", 2, 3);
  refuse_escaped(runtime, *self.text(), "replace");
  const Text& old = text_argument(runtime, "replace", *a[0]);
  return Value(replace(runtime, *self.text(), old, text_argument(runtime, "replace", *a[1]),
                       int_argument(runtime, "replace", a[2], -1)));
}

Value join_method(Runtime& runtime, const Value& self, const Args& args) {
  const auto a = args.bind_positional(runtime, "join", 1, 1);
  refuse_escaped(runtime, *self.text(), "join");
  const std::vector<Value> items = to_vector(runtime, *a[0]);
  for (const Value& item : items) text_argument(runtime, "join", item);
  return Value(join(runtime, *self.text(), items));
}

Value format_method(Runtime& runtime, const Value& self, const Args& args) {
  refuse_escaped(runtime, *self.text(), "format");
  return Value(format_braces(runtime, *self.text(), args));
}

template <bool at_end>
Value remove_affix_method(Runtime& runtime, const Value& self, const Args& args) {
  const auto a = args.bind_positional(runtime, at_end ? "removesuffix" : "removeprefix", 1, 1);
  const Text& text = *self.text();
  const std::string& affix = text_argument(runtime, "removing an affix", *a[0]).bytes();
  runtime.spend(text.size());
  if (affix.size() > text.size() ||
      text.bytes().compare(at_end ? text.size() - affix.size() : 0, affix.size(), affix) != 0) {
    return self;
  }
  return at_end ? Value(text.slice(0, text.size() - affix.size())) : Value(text.slice(affix.size(), text.size()));
}

template <Align align>
Value pad_method(Runtime& runtime, const Value& self, const Args& args) {
  const auto a = args.bind_positional(runtime, "padding", 1, 2);
  const Text fill = a[1] != nullptr ? text_argument(runtime, "padding", *a[1]) : Text::trusted(" ");
  if (count_code_points(fill.bytes()) != 1) runtime.fail("padding takes one character");
  if (!fill.written().empty()) runtime.fail("unsupported: padding with a character that comes from a message");
  return Value(pad(runtime, *self.text(), int_argument(runtime, "padding", a[0], 0), align, fill.bytes()));
}

Value zfill_method(Runtime& runtime, const Value& self, const Args& args) {
  const auto a = args.bind_positional(runtime, "zfill", 1, 1);
  const Text& text = *self.text();
  const bool has_sign = !text.empty() && (text.bytes()[0] == '-' || text.bytes()[0] == '+');
  const std::int64_t width = int_argument(runtime, "zfill", a[0], 0) - (has_sign ? 1 : 0);
  Text out = text.slice(0, has_sign ? 1 : 0);
  out.append(pad(runtime, text.slice(has_sign ? 1 : 0, text.size()), width, Align::right, "0"));
  return Value(std::move(out));
}

// isdigit() and its like, on ASCII; what other letters are, this engine does not know.
template <bool (*test)(char32_t), bool needs_some>
Value class_method(Runtime& runtime, const Value& self, const Args& args) {
  args.bind_positional(runtime, "this method", 0, 0);
  runtime.spend(self.text()->size());
  bool all = true;
  for (const char c : self.text()->bytes()) {
    if (static_cast<unsigned char>(c) >= 0x80) {
      runtime.fail("unsupported: asking what kind of character a letter beyond ASCII is");
    }
    all = all && test(static_cast<char32_t>(c));
  }
  return Value(all && (!needs_some || !self.text()->empty()));
}

bool is_ascii_digit(char32_t c) { return c >= U'0' && c <= U'9'; }
bool is_ascii_upper(char32_t c) { return c >= U'A' && c <= U'Z'; }
bool is_ascii_lower(char32_t c) { return c >= U'a' && c <= U'z'; }
bool is_ascii_letter(char32_t c) { return is_ascii_upper(c) || is_ascii_lower(c); }
bool is_ascii_alnum(char32_t c) { return is_ascii_letter(c) || is_ascii_digit(c); }

Value isspace_method(Runtime& runtime, const Value& self, const Args& args) {
  args.bind_positional(runtime, "isspace", 0, 0);
  return Value(!self.text()->empty() && strip_range(self.text()->bytes(), Strip::left).begin == self.text()->size());
}

Value isascii_method(Runtime& runtime, const Value& self, const Args& args) {
  args.bind_positional(runtime, "isascii", 0, 0);
  const std::string& bytes = self.text()->bytes();
  return Value(std::all_of(bytes.begin(), bytes.end(), [](char c) { return static_cast<unsigned char>(c) < 0x80; }));
}

// Has letters, and none of the other case.
template <Case target>
Value is_case_method(Runtime& runtime, const Value& self, const Args& args) {
  args.bind_positional(runtime, "isupper or islower", 0, 0);
  return Value(is_all_case(runtime, *self.text(), target));
}

// ---- lists and dicts

Value index_method(Runtime& runtime, const Value& self, const Args& args) {
  const auto a = args.bind_positional(runtime, "index", 1, 1);
  const std::vector<Value>& items = self.sequence()->items;
  for (std::size_t i = 0; i < items.size(); ++i) {
    if (equal(runtime, items[i], *a[0])) return Value(static_cast<std::int64_t>(i));
  }
  runtime.fail("index: the item is not in the list");
}

Value count_items_method(Runtime& runtime, const Value& self, const Args& args) {
  const auto a = args.bind_positional(runtime, "count", 1, 1);
  std::int64_t count = 0;
  for (const Value& item : self.sequence()->items) count += equal(runtime, item, *a[0]) ? 1 : 0;
  return Value(count);
}

Value get_method(Runtime& runtime, const Value& self, const Args& args) {
  const auto a = args.bind_positional(runtime, "get", 1, 2);
  if (!hashable(runtime, *a[0])) runtime.fail("a {} cannot be a key", type_name(*a[0]));
  if (const Value* found = self.dict()->find(runtime, *a[0])) return *found;
  return a[1] != nullptr ? *a[1] : Value(None{});
}

template <ViewKind kind>
Value view_method(Runtime& runtime, const Value& self, const Args& args) {
  args.bind_positional(runtime, "keys, values or items", 0, 0);
  return Value(View{kind, *self.as<DictPtr>()});
}

constexpr std::array<NamedBuiltin, 38> text_methods = {{
    {"capitalize", text_method<capitalize>},
    {"center", pad_method<Align::center>},
    {"count", count_method},
    {"endswith", affix_method<true>},
    {"find", find_method_of_text<false, false>},
    {"format", format_method},
    {"index", find_method_of_text<false, true>},
    {"isalnum", class_method<is_ascii_alnum, true>},
    {"isalpha", class_method<is_ascii_letter, true>},
    {"isascii", isascii_method},
    {"isdecimal", class_method<is_ascii_digit, true>},
    {"isdigit", class_method<is_ascii_digit, true>},
    {"islower", is_case_method<Case::lower>},
    {"isnumeric", class_method<is_ascii_digit, true>},
    {"isspace", isspace_method},
    {"isupper", is_case_method<Case::upper>},
    {"join", join_method},
    {"ljust", pad_method<Align::left>},
    {"lower", case_method<Case::lower>},
    {"lstrip", strip_method<Strip::left>},
    {"partition", partition_method<false>},
    {"removeprefix", remove_affix_method<false>},
    {"removesuffix", remove_affix_method<true>},
    {"replace", replace_method},
    {"rfind", find_method_of_text<true, false>},
    {"rindex", find_method_of_text<true, true>},
    {"rjust", pad_method<Align::right>},
    {"rpartition", partition_method<true>},
    {"rsplit", split_method<split_from_right>},
    {"rstrip", strip_method<Strip::right>},
    {"split", split_method<split>},
    {"splitlines", splitlines_method},
    {"startswith", affix_method<false>},
    {"strip", strip_method<Strip::both>},
    {"swapcase", text_method<swap_case>},
    {"title", text_method<title>},
    {"upper", case_method<Case::upper>},
    {"zfill", zfill_method},
}};

constexpr std::array<NamedBuiltin, 2> sequence_methods = {{{"count", count_items_method}, {"index", index_method}}};

constexpr std::array<NamedBuiltin, 4> dict_methods = {{
    {"get", get_method},
    {"items", view_method<ViewKind::items>},
    {"keys", view_method<ViewKind::keys>},
    {"values", view_method<ViewKind::values>},
}};

template <std::size_t N>
Builtin find_in(const std::array<NamedBuiltin, N>& table, std::string_view name) {
  const auto found =
      std::find_if(table.begin(), table.end(), [&](const NamedBuiltin& entry) { return entry.name == name; });
  return found == table.end() ? nullptr : found->function;
}

}  // namespace

bool is_all_case(Runtime& runtime, const Text& text, Case target) {
  runtime.spend(text.size(), 3);
  bool any = false;
  for (std::size_t at = 0; at < text.size();) {
    const std::size_t begin = at;
    const char32_t c = next_code_point(text.bytes(), at);
    if (!is_cased(c)) continue;
    std::string mapped;
    append_cased(mapped, c, target);
    if (mapped != std::string_view(text.bytes()).substr(begin, at - begin)) return false;
    any = true;
  }
  return any;
}

Builtin find_method(const Value& object, std::string_view name) {
  if (object.text() != nullptr) return find_in(text_methods, name);
  if (object.sequence() != nullptr) return find_in(sequence_methods, name);
  return object.dict() != nullptr ? find_in(dict_methods, name) : nullptr;
}

}  // namespace rung::jinja
