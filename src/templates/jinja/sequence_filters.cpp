// Filters over many values, and how filters, tests and attributes are applied to each of them.  Milestone M8.
#include "templates/jinja/filter_tables.h"
#include "templates/jinja/merge_sort.h"
#include "templates/jinja/operators.h"
#include "templates/jinja/text_functions.h"
#include "templates/jinja/unicode.h"

#include <algorithm>
#include <array>

namespace rung::jinja {

namespace {

Value make_generator(Runtime& runtime, const Value& source, std::function<bool(Value&)> next) {
  runtime.spend(sizeof(Generator) + sizeof(Iterator));
  // A generator over a generator over … is walked down when it is asked for an item.
  const GeneratorPtr* inner = source.as<GeneratorPtr>();
  const int depth = inner != nullptr ? (*inner)->depth + 1 : 1;
  if (depth > kMaxDepth) runtime.fail("filters over filters nested deeper than {}", kMaxDepth);
  return Value(std::make_shared<Generator>(Generator{std::move(next), depth}));
}

// Goes through a value's items, and looks whether it has any only when the first is asked for, as Python's generators
// do.
class LazyIterator {
 public:
  LazyIterator(Runtime& runtime, Value source) : runtime_(runtime), source_(std::move(source)) {}
  bool next(Value& item) {
    if (!iterator_) iterator_.emplace(runtime_, source_);
    return iterator_->next(item);
  }

 private:
  Runtime& runtime_;
  Value source_;
  std::optional<Iterator> iterator_;
};

// ---- attributes: "a.b.0" of an item

std::vector<Value> attribute_path(Runtime& runtime, const Value& attribute) {
  if (attribute.is<None>()) return {};
  if (attribute.text() == nullptr) return {attribute};
  const Text dot = Text::trusted(".");
  std::vector<Value> path = split(runtime, *attribute.text(), &dot, -1);
  for (Value& part : path) {
    const std::string& name = part.text()->bytes();
    if (name.empty() || name.size() > 18 || name.find_first_not_of("0123456789") != std::string::npos) continue;
    part = Value(static_cast<std::int64_t>(std::stoll(name)));
  }
  return path;
}

Value follow(Runtime& runtime, Value item, const std::vector<Value>& path, const Value* otherwise) {
  for (const Value& part : path) {
    item = get_item(runtime, item, part);
    if (otherwise != nullptr && !otherwise->is<None>() && item.is<Undefined>()) item = *otherwise;
  }
  return item;
}

// What sort, unique, min and max compare an item by.
Value sort_key(Runtime& runtime, const Value& item, const std::vector<Value>& path, bool case_sensitive) {
  Value key = follow(runtime, item, path, nullptr);
  if (case_sensitive || key.text() == nullptr) return key;
  runtime.spend(key.text()->size(), 3);
  return Value(with_case(*key.text(), Case::lower));
}

// ---- one value out of many

Value length_filter(Runtime& runtime, const Value& self, const Args& args) {
  args.bind(runtime, "length", {});
  const std::optional<std::int64_t> count = length(runtime, self);
  if (!count) runtime.fail("a {} has no length", type_name(self));
  return Value(*count);
}

Value first_filter(Runtime& runtime, const Value& self, const Args& args) {
  args.bind(runtime, "first", {});
  Iterator iterator(runtime, self);
  Value item;
  return iterator.next(item) ? item : Value::undefined("no first item, the sequence was empty");
}

Value last_filter(Runtime& runtime, const Value& self, const Args& args) {
  args.bind(runtime, "last", {});
  if (self.is<GeneratorPtr>() || !Iterator::can_iterate(self)) {
    runtime.fail("a {} has no last item; make a list of it first", type_name(self));
  }
  const std::vector<Value> items = to_vector(runtime, self);
  return items.empty() ? Value::undefined("no last item, the sequence was empty") : items.back();
}

Value join_filter(Runtime& runtime, const Value& self, const Args& args) {
  const auto a = args.bind(runtime, "join", {"d", "attribute"});
  std::vector<Value> items = to_vector(runtime, self);
  if (a[1] != nullptr && !a[1]->is<None>()) {
    const std::vector<Value> path = attribute_path(runtime, *a[1]);
    for (Value& item : items) item = follow(runtime, item, path, nullptr);
  }
  Text separator = a[0] != nullptr ? to_text(runtime, *a[0]) : Text();
  return Value(join(runtime, separator, items));
}

Value sum_filter(Runtime& runtime, const Value& self, const Args& args) {
  const auto a = args.bind(runtime, "sum", {"attribute", "start"});
  std::vector<Value> path;
  if (a[0] != nullptr) path = attribute_path(runtime, *a[0]);
  Value total = a[1] != nullptr ? *a[1] : Value(std::int64_t{0});
  if (total.text() != nullptr) runtime.fail("sum cannot add strings");
  Iterator iterator(runtime, self);
  for (Value item; iterator.next(item);) {
    total = arithmetic(runtime, BinaryOp::add, total, follow(runtime, item, path, nullptr));
  }
  return total;
}

template <bool greatest>
Value extreme_filter(Runtime& runtime, const Value& self, const Args& args) {
  const auto a = args.bind(runtime, "min or max", {"case_sensitive", "attribute"});
  const bool case_sensitive = bool_argument(runtime, a[0], false);
  const std::vector<Value> path = a[1] != nullptr ? attribute_path(runtime, *a[1]) : std::vector<Value>{};
  Iterator iterator(runtime, self);
  Value best;
  if (!iterator.next(best)) return Value::undefined("no smallest or greatest item, the sequence was empty");
  Value best_key = sort_key(runtime, best, path, case_sensitive);
  for (Value item; iterator.next(item);) {
    Value key = sort_key(runtime, item, path, case_sensitive);
    if (!(greatest ? less(runtime, best_key, key) : less(runtime, key, best_key))) continue;
    best = item;
    best_key = std::move(key);
  }
  return best;
}

// ---- many out of many

Value list_filter(Runtime& runtime, const Value& self, const Args& args) {
  args.bind(runtime, "list", {});
  return Value::list(runtime, to_vector(runtime, self));
}

Value items_filter(Runtime& runtime, const Value& self, const Args& args) {
  args.bind(runtime, "items", {});
  if (self.is<Undefined>()) return make_generator(runtime, self, [](Value&) { return false; });
  auto failed = self.dict() == nullptr;
  auto pairs =
      failed ? nullptr : std::make_shared<Iterator>(runtime, Value(View{ViewKind::items, *self.as<DictPtr>()}));
  return make_generator(runtime, self, [&runtime, pairs, type = type_name(self)](Value& item) {
    if (!pairs) runtime.fail("items needs a dict, not a {}", type);
    return pairs->next(item);
  });
}

Value reverse_filter(Runtime& runtime, const Value& self, const Args& args) {
  args.bind(runtime, "reverse", {});
  if (self.text() != nullptr) return get_slice(runtime, self, Value(None{}), Value(None{}), Value(std::int64_t{-1}));
  std::vector<Value> items = to_vector(runtime, self);
  std::reverse(items.begin(), items.end());
  if (self.is<GeneratorPtr>()) return Value::list(runtime, std::move(items));
  const Value reversed = Value::list(runtime, std::move(items));
  auto iterator = std::make_shared<Iterator>(runtime, reversed);
  return make_generator(runtime, reversed, [iterator](Value& item) { return iterator->next(item); });
}

Value dictsort_filter(Runtime& runtime, const Value& self, const Args& args) {
  const auto a = args.bind(runtime, "dictsort", {"case_sensitive", "by", "reverse"});
  const bool case_sensitive = bool_argument(runtime, a[0], false);
  const std::string by = a[1] == nullptr ? "key" : a[1]->text() != nullptr ? a[1]->text()->bytes() : "";
  if (by != "key" && by != "value") runtime.fail("dictsort sorts by 'key' or 'value'");
  if (self.dict() == nullptr) runtime.fail("dictsort needs a dict, not a {}", type_name(self));
  std::vector<Value> items = to_vector(runtime, Value(View{ViewKind::items, *self.as<DictPtr>()}));
  const std::vector<Value> path = {Value(std::int64_t{by == "key" ? 0 : 1})};
  // Python takes an integer here, not any truth
  const bool reverse = int_argument(runtime, "dictsort: reverse", a[2], 0) != 0;
  merge_sort(items, [&](const Value& x, const Value& y) {
    const Value k = sort_key(runtime, x, path, case_sensitive);
    const Value l = sort_key(runtime, y, path, case_sensitive);
    return reverse ? less(runtime, l, k) : less(runtime, k, l);
  });
  return Value::list(runtime, std::move(items));
}

Value sort_filter(Runtime& runtime, const Value& self, const Args& args) {
  const auto a = args.bind(runtime, "sort", {"reverse", "case_sensitive", "attribute"});
  const bool reverse = int_argument(runtime, "sort: reverse", a[0], 0) != 0;
  const bool case_sensitive = bool_argument(runtime, a[1], false);
  std::vector<std::vector<Value>> paths;  // "age,name" sorts by both
  if (a[2] != nullptr && a[2]->text() != nullptr) {
    const Text comma = Text::trusted(",");
    for (const Value& part : split(runtime, *a[2]->text(), &comma, -1)) paths.push_back(attribute_path(runtime, part));
  } else {
    paths.push_back(a[2] != nullptr ? attribute_path(runtime, *a[2]) : std::vector<Value>{});
  }
  std::vector<std::pair<Value, Value>> keyed;
  for (const Value& item : to_vector(runtime, self)) {
    std::vector<Value> key;
    for (const std::vector<Value>& path : paths) key.push_back(sort_key(runtime, item, path, case_sensitive));
    keyed.emplace_back(Value::list(runtime, std::move(key)), item);
  }
  merge_sort(keyed, [&](const auto& x, const auto& y) {
    return reverse ? less(runtime, y.first, x.first) : less(runtime, x.first, y.first);
  });
  std::vector<Value> items;
  for (auto& [key, item] : keyed) items.push_back(std::move(item));
  return Value::list(runtime, std::move(items));
}

Value unique_filter(Runtime& runtime, const Value& self, const Args& args) {
  const auto a = args.bind(runtime, "unique", {"case_sensitive", "attribute"});
  const bool case_sensitive = bool_argument(runtime, a[0], false);
  const std::vector<Value> path = a[1] != nullptr ? attribute_path(runtime, *a[1]) : std::vector<Value>{};
  auto iterator = std::make_shared<LazyIterator>(runtime, self);
  auto seen = std::make_shared<std::vector<Value>>();
  return make_generator(runtime, self, [&runtime, iterator, seen, path, case_sensitive](Value& item) {
    while (iterator->next(item)) {
      Value key = sort_key(runtime, item, path, case_sensitive);
      if (!hashable(runtime, key)) runtime.fail("unique cannot compare a {}", type_name(key));
      runtime.spend(sizeof(Value));
      const bool known =
          std::any_of(seen->begin(), seen->end(), [&](const Value& other) { return equal(runtime, other, key); });
      if (known) continue;
      seen->push_back(std::move(key));
      return true;
    }
    return false;
  });
}

Value batch_filter(Runtime& runtime, const Value& self, const Args& args) {
  const auto a = args.bind(runtime, "batch", {"linecount", "fill_with"}, 1);
  const std::int64_t size = int_argument(runtime, "batch", a[0], 0);
  if (size < 1) runtime.fail("unsupported: batches of {} items", size);
  const Value fill = a[1] != nullptr ? *a[1] : Value(None{});
  auto iterator = std::make_shared<LazyIterator>(runtime, self);
  return make_generator(runtime, self, [&runtime, iterator, size, fill](Value& item) {
    std::vector<Value> batch;
    for (Value next; static_cast<std::int64_t>(batch.size()) < size && iterator->next(next);) batch.push_back(next);
    if (batch.empty()) return false;
    if (!fill.is<None>() && static_cast<std::int64_t>(batch.size()) < size) {
      runtime.spend(static_cast<std::size_t>(size), sizeof(Value));
      batch.resize(static_cast<std::size_t>(size), fill);
    }
    item = Value::list(runtime, std::move(batch));
    return true;
  });
}

// ---- map, select and reject

std::function<Value(const Value&)> mapping(Runtime& runtime, const Args& args) {
  if (args.positional.empty() && !args.named.empty()) {
    const auto a = args.bind(runtime, "map", {"attribute", "default"}, 1);
    const Value otherwise = a[1] != nullptr ? *a[1] : Value(None{});
    return [&runtime, path = attribute_path(runtime, *a[0]), otherwise](const Value& item) {
      return follow(runtime, item, path, &otherwise);
    };
  }
  if (args.positional.empty()) runtime.fail("map needs the name of a filter, or an attribute");
  const Text* name = args.positional[0].text();
  const Builtin filter = name != nullptr ? find_filter(name->bytes()) : nullptr;
  Args rest{{args.positional.begin() + 1, args.positional.end()}, args.named};
  const std::string text = name != nullptr ? name->bytes() : "";
  return [&runtime, filter, rest, text](const Value& item) {
    if (filter == nullptr)
      runtime.fail("map: Rung's templates have no filter named '{}'", text);  // without items, nobody notices
    return filter(runtime, item, rest);
  };
}

Value map_filter(Runtime& runtime, const Value& self, const Args& args) {
  // jinja2 looks at the input and the arguments only when the first item is asked for.
  struct State {
    std::optional<Iterator> iterator;
    std::function<Value(const Value&)> function;
  };
  auto state = std::make_shared<State>();
  return make_generator(runtime, self, [&runtime, self, state, args](Value& item) {
    if (!state->iterator) {
      if (!truthy(runtime, self)) return false;
      state->function = mapping(runtime, args);
      state->iterator.emplace(runtime, self);
    }
    Value source;
    if (!state->iterator->next(source)) return false;
    item = state->function(source);
    return true;
  });
}

std::function<bool(const Value&)> condition(Runtime& runtime, const Args& args, bool of_attribute) {
  std::vector<Value> path;
  if (of_attribute) {
    if (args.positional.empty()) runtime.fail("the name of an attribute is missing");
    path = attribute_path(runtime, args.positional[0]);
  }
  const std::size_t used = of_attribute ? 1 : 0;
  if (args.positional.size() == used) {
    return [&runtime, path](const Value& item) { return truthy(runtime, follow(runtime, item, path, nullptr)); };
  }
  const Text* name = args.positional[used].text();
  const Builtin test = name != nullptr ? find_test(name->bytes()) : nullptr;
  Args rest{{args.positional.begin() + static_cast<std::ptrdiff_t>(used) + 1, args.positional.end()}, args.named};
  const std::string text = name != nullptr ? name->bytes() : "";
  return [&runtime, path, test, rest, text](const Value& item) {
    if (test == nullptr) runtime.fail("Rung's templates have no test named '{}'", text);
    return truthy(runtime, test(runtime, follow(runtime, item, path, nullptr), rest));
  };
}

template <bool wanted, bool of_attribute>
Value select_filter(Runtime& runtime, const Value& self, const Args& args) {
  struct State {
    std::optional<Iterator> iterator;
    std::function<bool(const Value&)> holds;
  };
  auto state = std::make_shared<State>();
  return make_generator(runtime, self, [&runtime, self, state, args](Value& item) {
    if (!state->iterator) {
      if (!truthy(runtime, self)) return false;
      state->holds = condition(runtime, args, of_attribute);
      state->iterator.emplace(runtime, self);
    }
    while (state->iterator->next(item)) {
      if (state->holds(item) == wanted) return true;
    }
    return false;
  });
}

Value attr_filter(Runtime& runtime, const Value& self, const Args& args) {
  const auto a = args.bind(runtime, "attr", {"name"}, 1);
  if (a[0]->text() == nullptr) runtime.fail("attr needs a name, not a {}", type_name(*a[0]));
  const std::optional<Value> own = own_attribute(runtime, self, a[0]->text()->bytes());
  return own ? *own
             : Value::undefined(fmt::format("a {} has no attribute '{}'", type_name(self), a[0]->text()->bytes()));
}

constexpr std::array<NamedBuiltin, 21> kSequenceFilters = {{
    {"attr", attr_filter},
    {"batch", batch_filter},
    {"count", length_filter},
    {"dictsort", dictsort_filter},
    {"first", first_filter},
    {"items", items_filter},
    {"join", join_filter},
    {"last", last_filter},
    {"length", length_filter},
    {"list", list_filter},
    {"map", map_filter},
    {"max", extreme_filter<true>},
    {"min", extreme_filter<false>},
    {"reject", select_filter<false, false>},
    {"rejectattr", select_filter<false, true>},
    {"reverse", reverse_filter},
    {"select", select_filter<true, false>},
    {"selectattr", select_filter<true, true>},
    {"sort", sort_filter},
    {"sum", sum_filter},
    {"unique", unique_filter},
}};

}  // namespace

std::span<const NamedBuiltin> sequence_filters() { return kSequenceFilters; }

Builtin find_filter(std::string_view name) {
  for (const std::span<const NamedBuiltin> filters : {text_filters(), sequence_filters()}) {
    for (const NamedBuiltin& entry : filters) {
      if (entry.name == name) return entry.function;
    }
  }
  return nullptr;
}

}  // namespace rung::jinja
