// `x is …`, the global functions, and how arguments become numbers.  Milestone M8.
#include "templates/jinja/builtins.h"
#include "templates/jinja/operators.h"
#include "templates/jinja/text_functions.h"
#include "templates/jinja/unicode.h"

#include <array>
#include <cmath>

namespace rung::jinja {

namespace {

// ---- tests

template <bool (*holds)(const Value&)>
Value type_test(Runtime& runtime, const Value& self, const Args& args) {
  args.bind(runtime, "this test", {});
  return Value(holds(self));
}

bool is_defined(const Value& v) { return !v.is<Undefined>(); }
bool is_undefined(const Value& v) { return v.is<Undefined>(); }
bool is_none(const Value& v) { return v.is<None>(); }
bool is_boolean(const Value& v) { return v.is<bool>(); }
bool is_true(const Value& v) { return v.is<bool>() && *v.as<bool>(); }
bool is_false(const Value& v) { return v.is<bool>() && !*v.as<bool>(); }
bool is_integer(const Value& v) { return v.is<std::int64_t>(); }
bool is_float(const Value& v) { return v.is<double>(); }
bool is_number(const Value& v) { return v.number().has_value(); }
bool is_string(const Value& v) { return v.text() != nullptr; }
bool is_mapping(const Value& v) { return v.dict() != nullptr; }
bool is_escaped(const Value& v) { return v.text() != nullptr && v.text()->escaped; }
bool is_sequence(const Value& v) {  // an undefined value, too, has a length and items, as jinja2 looks at it
  return v.text() != nullptr || v.sequence() != nullptr || v.dict() != nullptr || v.is<Range>() || v.is<Undefined>();
}
bool is_callable(const Value& v) { return v.is<CallablePtr>() || v.is<Macro*>() || v.is<Loop*>() || v.is<Undefined>(); }

template <CompareOp op>
Value compare_test(Runtime& runtime, const Value& self, const Args& args) {
  const auto a = args.bind_positional(runtime, "this test", 1, 1);
  return Value(compare(runtime, op, self, *a[0]));
}

Value in_test(Runtime& runtime, const Value& self, const Args& args) {
  const auto a = args.bind(runtime, "in", {"seq"}, 1);
  return Value(contains(runtime, *a[0], self));
}

bool is_multiple(Runtime& runtime, const Value& value, const Value& of) {
  return equal(runtime, arithmetic(runtime, BinaryOp::modulo, value, of), Value(std::int64_t{0}));
}

Value even_test(Runtime& runtime, const Value& self, const Args& args) {
  args.bind(runtime, "even", {});
  return Value(is_multiple(runtime, self, Value(std::int64_t{2})));
}

Value odd_test(Runtime& runtime, const Value& self, const Args& args) {
  args.bind(runtime, "odd", {});
  return Value(
      equal(runtime, arithmetic(runtime, BinaryOp::modulo, self, Value(std::int64_t{2})), Value(std::int64_t{1})));
}

Value divisibleby_test(Runtime& runtime, const Value& self, const Args& args) {
  const auto a = args.bind(runtime, "divisibleby", {"num"}, 1);
  return Value(is_multiple(runtime, self, *a[0]));
}

template <Case target>
Value case_test(Runtime& runtime, const Value& self, const Args& args) {
  args.bind(runtime, "upper or lower", {});
  return Value(is_all_case(runtime, to_text(runtime, self), target));
}

// Whether two are one object. Of numbers and strings Python does not say; here equal ones of a type are the same.
Value sameas_test(Runtime& runtime, const Value& self, const Args& args) {
  const auto a = args.bind(runtime, "sameas", {"other"}, 1);
  if (self.is<Undefined>() || self.data().index() != a[0]->data().index()) return Value(false);
  if (self.sequence() != nullptr) return Value(self.sequence() == a[0]->sequence());
  if (self.dict() != nullptr) return Value(self.dict() == a[0]->dict());
  return Value(equal(runtime, self, *a[0]));
}

template <Builtin (*find)(std::string_view)>
Value exists_test(Runtime& runtime, const Value& self, const Args& args) {
  args.bind(runtime, "filter or test", {});
  if (!hashable(runtime, self)) runtime.fail("a {} cannot be a name", type_name(self));
  return Value(self.text() != nullptr && find(self.text()->bytes()) != nullptr);
}

constexpr std::array<NamedBuiltin, 39> tests = {{
    {"!=", compare_test<CompareOp::not_equal>},
    {"<", compare_test<CompareOp::less>},
    {"<=", compare_test<CompareOp::less_equal>},
    {"==", compare_test<CompareOp::equal>},
    {">", compare_test<CompareOp::greater>},
    {">=", compare_test<CompareOp::greater_equal>},
    {"boolean", type_test<is_boolean>},
    {"callable", type_test<is_callable>},
    {"defined", type_test<is_defined>},
    {"divisibleby", divisibleby_test},
    {"eq", compare_test<CompareOp::equal>},
    {"equalto", compare_test<CompareOp::equal>},
    {"escaped", type_test<is_escaped>},
    {"even", even_test},
    {"false", type_test<is_false>},
    {"filter", exists_test<find_filter>},
    {"float", type_test<is_float>},
    {"ge", compare_test<CompareOp::greater_equal>},
    {"greaterthan", compare_test<CompareOp::greater>},
    {"gt", compare_test<CompareOp::greater>},
    {"in", in_test},
    {"integer", type_test<is_integer>},
    {"iterable", type_test<Iterator::can_iterate>},
    {"le", compare_test<CompareOp::less_equal>},
    {"lessthan", compare_test<CompareOp::less>},
    {"lower", case_test<Case::lower>},
    {"lt", compare_test<CompareOp::less>},
    {"mapping", type_test<is_mapping>},
    {"ne", compare_test<CompareOp::not_equal>},
    {"none", type_test<is_none>},
    {"number", type_test<is_number>},
    {"odd", odd_test},
    {"sameas", sameas_test},
    {"sequence", type_test<is_sequence>},
    {"string", type_test<is_string>},
    {"test", exists_test<find_test>},
    {"true", type_test<is_true>},
    {"undefined", type_test<is_undefined>},
    {"upper", case_test<Case::upper>},
}};

// ---- global functions

Value raise_exception(Runtime& runtime, const Value&, const Args& args) {
  const auto a = args.bind(runtime, "raise_exception", {"message"}, 1);
  runtime.fail("{}", to_text(runtime, *a[0]).bytes());
}

Value range(Runtime& runtime, const Value&, const Args& args) {
  const auto a = args.bind_positional(runtime, "range", 1, 3);
  const bool one = a[1] == nullptr;
  for (const Value* value : {a[0], a[1], a[2]}) {
    if (value != nullptr && !value->integer()) runtime.fail("range needs integers, not a {}", type_name(*value));
  }
  const std::int64_t start = one ? 0 : *a[0]->integer();
  const std::int64_t stop = *(one ? a[0] : a[1])->integer();
  const std::int64_t step = a[2] != nullptr ? *a[2]->integer() : 1;
  if (step == 0) runtime.fail("range cannot go in steps of 0");
  constexpr std::uint64_t most = 100000;  // what jinja2's sandbox allows
  const std::uint64_t distance = step > 0 ? static_cast<std::uint64_t>(stop) - static_cast<std::uint64_t>(start)
                                          : static_cast<std::uint64_t>(start) - static_cast<std::uint64_t>(stop);
  const std::uint64_t stride = step > 0 ? static_cast<std::uint64_t>(step) : 0 - static_cast<std::uint64_t>(step);
  const bool empty = step > 0 ? stop <= start : start <= stop;
  const std::uint64_t count = empty ? 0 : (distance - 1) / stride + 1;
  if (count > most) runtime.fail("a range of more than {} numbers", most);
  return Value(Range{start, stop, step, static_cast<std::int64_t>(count)});
}

// dict(pairs, name=value, …): what `dict` and `namespace` both take.
std::vector<std::pair<Value, Value>> pairs_of(Runtime& runtime, std::string_view function, const Args& args) {
  if (args.positional.size() > 1) runtime.fail("{} takes at most one argument without a name", function);
  std::vector<std::pair<Value, Value>> pairs;
  if (!args.positional.empty()) {
    const Value& source = args.positional[0];
    if (const Undefined* undefined = source.as<Undefined>()) runtime.fail("{}", *undefined->why);
    if (const Dict* dict = source.dict()) {
      runtime.spend(dict->entries.size(), 2 * sizeof(Value));
      pairs = dict->entries;
    } else {
      Iterator iterator(runtime, source);
      for (Value item; iterator.next(item);) {
        const std::vector<Value> pair = to_vector(runtime, item);
        if (pair.size() != 2) runtime.fail("{} needs pairs, not {} items", function, pair.size());
        pairs.emplace_back(pair[0], pair[1]);
      }
    }
  }
  for (const auto& [name, value] : args.named) pairs.emplace_back(Value::of_string(name), value);
  return pairs;
}

Value dict(Runtime& runtime, const Value&, const Args& args) {
  DictBuilder built(runtime);
  for (auto& [key, value] : pairs_of(runtime, "dict", args)) built.set(key, value);
  return std::move(built).build();
}

Value make_namespace(Runtime& runtime, const Value&, const Args& args) {
  runtime.spend(sizeof(Namespace));
  Namespace& space = runtime.namespaces.emplace_back();
  for (const auto& [key, value] : pairs_of(runtime, "namespace", args)) {
    if (key.text() == nullptr) runtime.fail("unsupported: a namespace with a {} as a name", type_name(key));
    space.set(runtime, key.text()->bytes(), value);
  }
  return Value(&space);
}

constexpr std::array<std::string_view, 7> day_names = {"Sunday",   "Monday", "Tuesday", "Wednesday",
                                                       "Thursday", "Friday", "Saturday"};
constexpr std::array<std::string_view, 12> month_names = {"January",   "February", "March",    "April",
                                                          "May",       "June",     "July",     "August",
                                                          "September", "October",  "November", "December"};

std::string time_field(Runtime& runtime, char letter) {
  const std::tm& t = runtime.now;
  const int hour12 = t.tm_hour % 12 == 0 ? 12 : t.tm_hour % 12;
  switch (letter) {
    case 'Y': return fmt::format("{}", t.tm_year + 1900);
    case 'y': return fmt::format("{:02}", t.tm_year % 100);
    case 'm': return fmt::format("{:02}", t.tm_mon + 1);
    case 'd': return fmt::format("{:02}", t.tm_mday);
    case 'e': return fmt::format("{:2}", t.tm_mday);
    case 'H': return fmt::format("{:02}", t.tm_hour);
    case 'I': return fmt::format("{:02}", hour12);
    case 'M': return fmt::format("{:02}", t.tm_min);
    case 'S': return fmt::format("{:02}", t.tm_sec);
    case 'j': return fmt::format("{:03}", t.tm_yday + 1);
    case 'p': return t.tm_hour < 12 ? "AM" : "PM";
    case 'B': return std::string(month_names[static_cast<std::size_t>(t.tm_mon)]);
    case 'b': return std::string(month_names[static_cast<std::size_t>(t.tm_mon)].substr(0, 3));
    case 'A': return std::string(day_names[static_cast<std::size_t>(t.tm_wday)]);
    case 'a': return std::string(day_names[static_cast<std::size_t>(t.tm_wday)].substr(0, 3));
    case 'F': return fmt::format("{}-{:02}-{:02}", t.tm_year + 1900, t.tm_mon + 1, t.tm_mday);
    case 'T': return fmt::format("{:02}:{:02}:{:02}", t.tm_hour, t.tm_min, t.tm_sec);
    case '%': return "%";
    default: runtime.fail("unsupported: strftime_now with %{}", letter);
  }
}

Value strftime_now(Runtime& runtime, const Value&, const Args& args) {
  const auto a = args.bind(runtime, "strftime_now", {"format"}, 1);
  if (a[0]->text() == nullptr) runtime.fail("strftime_now needs a string, not a {}", type_name(*a[0]));
  const std::string& format = a[0]->text()->bytes();
  runtime.spend(format.size(), 16);
  Text out;
  for (std::size_t i = 0; i < format.size(); ++i) {
    const Writer by = a[0]->text()->writer_of(i);
    if (format[i] != '%' || i + 1 == format.size()) {
      out.append(std::string_view(format).substr(i, 1), by);
      continue;
    }
    const bool bare = format[i + 1] == '-' && i + 2 < format.size();  // %-d: no zero in front
    i += bare ? 2 : 1;
    std::string field = time_field(runtime, format[i]);
    while (bare && field.size() > 1 && (field[0] == '0' || field[0] == ' ')) field.erase(0, 1);
    out.append(field, by);
  }
  return Value(std::move(out));
}

constexpr std::array<NamedBuiltin, 5> globals = {{
    {"dict", dict},
    {"namespace", make_namespace},
    {"raise_exception", raise_exception},
    {"range", range},
    {"strftime_now", strftime_now},
}};

}  // namespace

Builtin find_test(std::string_view name) {
  for (const NamedBuiltin& entry : tests) {
    if (entry.name == name) return entry.function;
  }
  return nullptr;
}

Builtin find_global(std::string_view name) {
  for (const NamedBuiltin& entry : globals) {
    if (entry.name == name) return entry.function;
  }
  return nullptr;
}

std::int64_t int_argument(Runtime& runtime, std::string_view function, const Value* value, std::int64_t otherwise) {
  if (value == nullptr) return otherwise;
  if (const Undefined* undefined = value->as<Undefined>()) runtime.fail("{}", *undefined->why);
  const std::optional<std::int64_t> i = value->integer();
  if (!i) runtime.fail("{} needs an integer, not a {}", function, type_name(*value));
  return *i;
}

bool bool_argument(Runtime& runtime, const Value* value, bool otherwise) {
  return value == nullptr ? otherwise : truthy(runtime, *value);
}

}  // namespace rung::jinja
