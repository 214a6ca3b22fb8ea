#include "templates/jinja/value.h"

#include "templates/jinja/unicode.h"

#include <algorithm>

namespace rung::jinja {

namespace {

int depth_of(const Value& value) {
  if (const Sequence* s = value.sequence()) return s->depth;
  if (const Dict* d = value.dict()) return d->depth;
  if (const View* v = value.as<View>()) return v->dict->depth;
  if (const GeneratorPtr* g = value.as<GeneratorPtr>()) return (*g)->depth;
  if (const CallablePtr* c = value.as<CallablePtr>()) return depth_of((*c)->self);
  return 0;
}

// The depth of a container that holds `value`, at least `depth`.
int deeper(Runtime& runtime, int depth, const Value& value) {
  const int inside = depth_of(value) + 1;
  if (inside > kMaxDepth) runtime.fail("lists or objects nested deeper than {}", kMaxDepth);
  return std::max(depth, inside);
}

Value make_sequence(Runtime& runtime, std::vector<Value> items, bool is_tuple) {
  runtime.spend(items.size() + 1, sizeof(Value));
  int depth = 1;
  for (const Value& item : items) depth = deeper(runtime, depth, item);
  return Value(std::make_shared<const Sequence>(Sequence{std::move(items), is_tuple, depth}));
}

}  // namespace

Value Value::list(Runtime& runtime, std::vector<Value> items) {
  return make_sequence(runtime, std::move(items), false);
}
Value Value::tuple(Runtime& runtime, std::vector<Value> items) {
  return make_sequence(runtime, std::move(items), true);
}

bool Value::is_list() const { return sequence() != nullptr && !sequence()->is_tuple; }
bool Value::is_tuple() const { return sequence() != nullptr && sequence()->is_tuple; }

std::optional<std::int64_t> Value::integer() const {
  if (const bool* b = as<bool>()) return *b ? 1 : 0;
  if (const std::int64_t* i = as<std::int64_t>()) return *i;
  return {};
}

std::optional<double> Value::number() const {
  if (const double* d = as<double>()) return *d;
  if (const auto i = integer()) return static_cast<double>(*i);
  return {};
}

const Value* Dict::find(Runtime& runtime, const Value& key) const {
  if (const Text* name = key.text()) return find(runtime, name->bytes());
  runtime.spend(entries.size(), sizeof(Value));
  for (const auto& [k, v] : entries) {
    if (equal(runtime, k, key)) return &v;
  }
  return nullptr;
}

const Value* Dict::find(Runtime& runtime, std::string_view key) const {
  runtime.spend(entries.size(), 8);
  for (const auto& [k, v] : entries) {
    if (k.text() != nullptr && k.text()->bytes() == key) return &v;
  }
  return nullptr;
}

void DictBuilder::set(Value key, Value value) {
  if (!hashable(runtime_, key)) runtime_.fail("a {} cannot be a key", type_name(key));
  if (const Value* old = dict_.find(runtime_, key)) {
    dict_.depth = deeper(runtime_, dict_.depth, value);
    const_cast<Value&>(*old) = std::move(value);  // found in our own dict_, which is not const
  } else {
    append_new(std::move(key), std::move(value));
  }
}

void DictBuilder::append_new(Value key, Value value) {
  runtime_.spend(2 * sizeof(Value));
  dict_.depth = deeper(runtime_, deeper(runtime_, dict_.depth, key), value);
  dict_.entries.emplace_back(std::move(key), std::move(value));
}

Value DictBuilder::build() && { return Value(std::make_shared<const Dict>(std::move(dict_))); }

std::vector<const Value*> Args::bind(Runtime& runtime, std::string_view function,
                                     std::initializer_list<std::string_view> parameters, std::size_t required) const {
  std::vector<const Value*> bound(parameters.size(), nullptr);
  if (positional.size() > parameters.size()) {
    runtime.fail("{} takes at most {} arguments, got {}", function, parameters.size(), positional.size());
  }
  for (std::size_t i = 0; i < positional.size(); ++i) bound[i] = &positional[i];
  for (const auto& [name, value] : named) {
    const auto found = std::find(parameters.begin(), parameters.end(), name);
    if (found == parameters.end()) runtime.fail("{} has no argument named '{}'", function, name);
    const Value*& place = bound[static_cast<std::size_t>(found - parameters.begin())];
    if (place != nullptr) runtime.fail("{} got its argument '{}' twice", function, name);
    place = &value;
  }
  for (std::size_t i = 0; i < required; ++i) {
    if (bound[i] == nullptr) runtime.fail("{} needs its argument '{}'", function, parameters.begin()[i]);
  }
  return bound;
}

std::vector<const Value*> Args::bind_positional(Runtime& runtime, std::string_view function, std::size_t required,
                                                std::size_t most) const {
  if (!named.empty()) runtime.fail("{} takes no argument by name ('{}')", function, named.front().first);
  if (positional.size() < required || positional.size() > most) {
    runtime.fail("{} got {} arguments, expected {} to {}", function, positional.size(), required, most);
  }
  std::vector<const Value*> bound(most, nullptr);
  for (std::size_t i = 0; i < positional.size(); ++i) bound[i] = &positional[i];
  return bound;
}

Value* Namespace::find(std::string_view name) {
  for (auto& [key, value] : attributes) {
    if (key == name) return &value;
  }
  return nullptr;
}

void Namespace::set(Runtime& runtime, std::string_view name, Value value) {
  if (!name.empty() && name.front() == '_') {
    runtime.fail("a namespace cannot hold '{}': names must not begin with _", name);
  }
  runtime.spend(attributes.size() + 1, 8);
  if (Value* old = find(name)) {
    *old = std::move(value);
  } else {
    attributes.emplace_back(name, std::move(value));
  }
}

bool Iterator::can_iterate(const Value& value) {
  return value.is<TextPtr>() || value.is<SequencePtr>() || value.is<DictPtr>() || value.is<View>() ||
         value.is<Range>() || value.is<GeneratorPtr>() || value.is<Undefined>() || value.is<Loop*>();
}

Iterator::Iterator(Runtime& runtime, Value source) : runtime_(&runtime), source_(std::move(source)) {
  if (!can_iterate(source_)) runtime.fail("a {} has no items to go through", type_name(source_));
  if (source_.is<Loop*>()) runtime.fail("unsupported: going through the items of 'loop'");
}

bool Iterator::next(Value& item) {
  runtime_->spend(kStepBytes);
  if (const Text* text = source_.text()) {
    if (position_ == text->size()) return false;
    runtime_->spend(sizeof(Text));
    const std::size_t begin = position_;
    next_code_point(text->bytes(), position_);
    item = Value(text->slice(begin, position_));
    return true;
  }
  if (const GeneratorPtr* generator = source_.as<GeneratorPtr>()) {
    Runtime::Nested nested(*runtime_);
    return (*generator)->next(item);
  }
  const std::size_t i = position_++;
  if (const Sequence* sequence = source_.sequence()) {
    if (i >= sequence->items.size()) return false;
    item = sequence->items[i];
  } else if (const Range* range = source_.as<Range>()) {
    if (static_cast<std::int64_t>(i) >= range->length) return false;
    item = Value(range->at(static_cast<std::int64_t>(i)));
  } else if (const View* view = source_.as<View>()) {
    if (i >= view->dict->entries.size()) return false;
    const auto& [key, value] = view->dict->entries[i];
    item = view->kind == ViewKind::keys     ? key
           : view->kind == ViewKind::values ? value
                                            : Value::tuple(*runtime_, {key, value});
  } else if (const Dict* dict = source_.dict()) {
    if (i >= dict->entries.size()) return false;
    item = dict->entries[i].first;
  } else {
    return false;  // undefined: no items
  }
  return true;
}

bool Loop::advance() {
  std::optional<Value> following;
  if (peeked) {
    following = std::move(after);
    after.reset();
    peeked = false;
  } else {
    Value item;
    if (items.next(item)) following = std::move(item);
  }
  if (!following) return false;
  ++index0;
  before = std::move(current);
  current = std::move(following);
  return true;
}

const std::optional<Value>& Loop::peek() {
  if (!peeked) {
    Value item;
    if (items.next(item)) after = std::move(item);
    peeked = true;
  }
  return after;
}

std::int64_t Loop::length(Runtime& runtime) {
  if (known_length) return *known_length;
  known_length = jinja::length(runtime, source);
  if (!known_length) {  // a generator: all that is left of it is made now
    std::vector<Value> rest;
    for (Value item; items.next(item);) rest.push_back(item);
    known_length = static_cast<std::int64_t>(rest.size()) + index0 + 1 + (after ? 1 : 0);
    items = Iterator(runtime, Value::list(runtime, std::move(rest)));
  }
  return *known_length;
}

std::optional<std::int64_t> length(Runtime& runtime, const Value& value) {
  const auto size = [](std::size_t n) { return static_cast<std::int64_t>(n); };
  if (const Text* text = value.text()) {
    runtime.spend(text->size());
    return size(count_code_points(text->bytes()));
  }
  if (const Sequence* sequence = value.sequence()) return size(sequence->items.size());
  if (const Dict* dict = value.dict()) return size(dict->entries.size());
  if (const View* view = value.as<View>()) return size(view->dict->entries.size());
  if (const Range* range = value.as<Range>()) return range->length;
  if (value.is<Loop*>()) return (*value.as<Loop*>())->length(runtime);
  if (value.is<Undefined>()) return 0;
  return {};
}

std::vector<Value> to_vector(Runtime& runtime, const Value& iterable) {
  std::vector<Value> items;
  Iterator iterator(runtime, iterable);
  for (Value item; iterator.next(item);) items.push_back(item);
  return items;
}

std::string_view type_name(const Value& value) {
  static constexpr std::string_view names[] = {"Undefined", "None",     "bool",      "int",       "float",
                                               "str",       "list",     "dict",      "dict view", "range",
                                               "generator", "function", "namespace", "loop",      "macro"};
  return value.is_tuple() ? "tuple" : names[value.data().index()];
}

}  // namespace rung::jinja
