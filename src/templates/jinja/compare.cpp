// Truth, equality, order and membership, as Python has them. Provenance plays no part.
#include "templates/jinja/value.h"

#include <algorithm>
#include <cmath>
#include <compare>

namespace rung::jinja {

namespace {

std::partial_ordering compare_exactly(std::int64_t i, double d) {
  if (std::isnan(d)) return std::partial_ordering::unordered;
  if (d >= 0x1p63) return std::partial_ordering::less;
  if (d < -0x1p63) return std::partial_ordering::greater;
  const auto whole = static_cast<std::int64_t>(d);  // towards zero
  if (i != whole) return i < whole ? std::partial_ordering::less : std::partial_ordering::greater;
  return 0.0 <=> d - static_cast<double>(whole);
}

// Both must be numbers.
std::partial_ordering compare_numbers(const Value& a, const Value& b) {
  const auto i = a.integer();
  const auto j = b.integer();
  if (i && j) return *i <=> *j;
  if (i) return compare_exactly(*i, *b.as<double>());
  if (j) return 0 <=> compare_exactly(*j, *a.as<double>());
  return *a.as<double>() <=> *b.as<double>();
}

bool equal_sequences(Runtime& runtime, const Sequence& a, const Sequence& b) {
  if (a.is_tuple != b.is_tuple || a.items.size() != b.items.size()) return false;
  for (std::size_t i = 0; i < a.items.size(); ++i) {
    if (!equal(runtime, a.items[i], b.items[i])) return false;
  }
  return true;
}

bool equal_dicts(Runtime& runtime, const Dict& a, const Dict& b) {
  if (a.entries.size() != b.entries.size()) return false;
  for (const auto& [key, value] : a.entries) {
    const Value* other = b.find(runtime, key);
    if (other == nullptr || !equal(runtime, value, *other)) return false;
  }
  return true;
}

bool equal_ranges(const Range& a, const Range& b) {
  return a.length == b.length && (a.length == 0 || (a.start == b.start && (a.length == 1 || a.step == b.step)));
}

void refuse_undefined(Runtime& runtime, const Value& v) {
  if (const Undefined* undefined = v.as<Undefined>()) runtime.fail("{}", *undefined->why);
}

// a < b, or a <= b when `or_equal`.
bool ordered(Runtime& runtime, const Value& a, const Value& b, bool or_equal) {
  runtime.spend(kStepBytes);
  refuse_undefined(runtime, a);
  refuse_undefined(runtime, b);
  if (a.number() && b.number()) {
    const std::partial_ordering order = compare_numbers(a, b);
    return order < 0 || (or_equal && order == 0);
  }
  if (a.text() != nullptr && b.text() != nullptr) {
    const int order = a.text()->bytes().compare(b.text()->bytes());  // UTF-8 sorts as its code points do
    return order < 0 || (or_equal && order == 0);
  }
  const Sequence* s = a.sequence();
  const Sequence* t = b.sequence();
  if (s == nullptr || t == nullptr || s->is_tuple != t->is_tuple) {
    runtime.fail("a {} and a {} have no order", type_name(a), type_name(b));
  }
  const std::size_t common = std::min(s->items.size(), t->items.size());
  for (std::size_t i = 0; i < common; ++i) {
    if (!equal(runtime, s->items[i], t->items[i])) return ordered(runtime, s->items[i], t->items[i], or_equal);
  }
  return or_equal ? s->items.size() <= t->items.size() : s->items.size() < t->items.size();
}

bool any_equal(Runtime& runtime, const Value& iterable, const Value& item) {
  Iterator iterator(runtime, iterable);
  for (Value candidate; iterator.next(candidate);) {
    if (equal(runtime, candidate, item)) return true;
  }
  return false;
}

}  // namespace

bool truthy(Runtime& runtime, const Value& value) {
  if (value.is<Undefined>() || value.is<None>()) return false;
  if (const bool* b = value.as<bool>()) return *b;
  if (const std::int64_t* i = value.as<std::int64_t>()) return *i != 0;
  if (const double* d = value.as<double>()) return *d != 0;
  if (const Text* text = value.text()) return !text->empty();
  return length(runtime, value).value_or(1) != 0;
}

bool equal(Runtime& runtime, const Value& a, const Value& b) {
  runtime.spend(kStepBytes / 4);
  if (a.number() && b.number()) return compare_numbers(a, b) == 0;
  if (a.data().index() != b.data().index()) return false;
  if (a.text() != nullptr) {
    runtime.spend(std::min(a.text()->size(), b.text()->size()) / 8);
    return a.text()->bytes() == b.text()->bytes();
  }
  if (a.sequence() != nullptr) {
    return a.sequence() == b.sequence() || equal_sequences(runtime, *a.sequence(), *b.sequence());
  }
  if (a.dict() != nullptr) return a.dict() == b.dict() || equal_dicts(runtime, *a.dict(), *b.dict());
  if (a.is<Range>()) return equal_ranges(*a.as<Range>(), *b.as<Range>());
  if (a.is<View>()) {
    runtime.fail("unsupported: comparing what keys(), values() or items() gave; make lists of them first");
  }
  if (a.is<CallablePtr>()) {
    const Callable& f = **a.as<CallablePtr>();
    const Callable& g = **b.as<CallablePtr>();
    return f.function == g.function && f.name == g.name && equal(runtime, f.self, g.self);
  }
  if (a.is<GeneratorPtr>()) return *a.as<GeneratorPtr>() == *b.as<GeneratorPtr>();
  if (a.is<Namespace*>()) return *a.as<Namespace*>() == *b.as<Namespace*>();
  if (a.is<Loop*>()) return *a.as<Loop*>() == *b.as<Loop*>();
  if (a.is<Macro*>()) return *a.as<Macro*>() == *b.as<Macro*>();
  return true;  // None and None; undefined and undefined
}

bool less(Runtime& runtime, const Value& a, const Value& b) { return ordered(runtime, a, b, false); }
bool less_equal(Runtime& runtime, const Value& a, const Value& b) { return ordered(runtime, a, b, true); }

bool contains(Runtime& runtime, const Value& container, const Value& item) {
  if (const Text* text = container.text()) {
    if (item.text() == nullptr) runtime.fail("'in' a string looks for a string, not for a {}", type_name(item));
    runtime.spend(text->size());
    return text->bytes().find(item.text()->bytes()) != std::string::npos;
  }
  const View* view = container.as<View>();
  const bool by_key = container.dict() != nullptr || (view != nullptr && view->kind == ViewKind::keys);
  if (by_key) {
    if (!hashable(runtime, item)) runtime.fail("a {} cannot be a key", type_name(item));
    return (view != nullptr ? view->dict.get() : container.dict())->find(runtime, item) != nullptr;
  }
  if (!Iterator::can_iterate(container)) {
    runtime.fail("'in' needs something with items, not a {}", type_name(container));
  }
  return any_equal(runtime, container, item);
}

bool hashable(Runtime& runtime, const Value& value) {
  if (value.is_list() || value.is<DictPtr>()) return false;
  if (const View* view = value.as<View>()) return view->kind == ViewKind::values;
  if (!value.is_tuple()) return true;
  runtime.spend(value.sequence()->items.size() + 1, kStepBytes / 4);
  return std::all_of(value.sequence()->items.begin(), value.sequence()->items.end(),
                     [&](const Value& item) { return hashable(runtime, item); });
}

}  // namespace rung::jinja
