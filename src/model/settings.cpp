#include "model/settings.h"

#include <algorithm>
#include <cmath>
#include <limits>
#include <utility>

#include "base/error.h"

namespace rung {

namespace {

constexpr double kLargestSize = std::numeric_limits<std::int32_t>::max();

Json json_of(const GgufScalar& scalar) {
  return std::visit([](const auto& v) { return Json(v); }, scalar);
}

Json json_of(const GgufValue& value) {
  if (const auto* scalar = std::get_if<GgufScalar>(&value)) return json_of(*scalar);
  Json list = Json::array();
  std::visit(
      [&](const auto& values) {
        if constexpr (!std::is_same_v<std::decay_t<decltype(values)>, std::vector<GgufArray>>) {
          for (const auto v : values) list.push_back(v);
        }
      },
      std::get<GgufArray>(value).values);
  return list;
}

std::string shown(const Json& value) {
  std::string text = value.dump(-1, ' ', false, Json::error_handler_t::replace);
  if (text.size() > 60) text = text.substr(0, 57) + "...";
  return text;
}

bool says_nothing(const Json& value) {
  return value.is_null() || (value.is_boolean() && !value.get<bool>()) || (value.is_structured() && value.empty());
}

}  // namespace

Settings Settings::from_json(const Json& object, std::string where) {
  Settings s;
  s.where_ = std::move(where);
  if (!object.is_object()) fail("{}: found {}, expected a JSON object", s.where_, object.type_name());
  s.values_ = object;
  return s;
}

Settings Settings::from_gguf(const Gguf& gguf, std::string prefix) {
  Settings s;
  s.where_ = gguf.file();
  s.values_ = Json::object();
  for (auto it = gguf.metadata().lower_bound(prefix); it != gguf.metadata().end() && it->first.starts_with(prefix);
       ++it) {
    s.values_[it->first.substr(prefix.size())] = json_of(it->second);
  }
  s.one_for_all_layers();
  s.prefix_ = std::move(prefix);
  return s;
}

// What may differ by layer is an array with an entry for each: one number where all have the same.
void Settings::one_for_all_layers() {
  const auto layers = values_.find("block_count");
  if (layers == values_.end()) return;
  for (auto& [key, value] : values_.items()) {
    if (!value.is_array() || value.empty() || !value[0].is_number() || *layers != value.size()) continue;
    const Json first = value[0];
    if (std::all_of(value.begin(), value.end(), [&](const Json& v) { return v == first; })) value = first;
  }
}

const Json* Settings::find(std::string_view key) const {
  const auto it = values_.find(key);
  if (it == values_.end()) return nullptr;
  read_.emplace(key);
  return it->is_null() ? nullptr : &*it;
}

void Settings::wrong(std::string_view key, std::string_view expected) const {
  const auto it = values_.find(key);
  fail("{}: '{}{}' is {}, expected {}", where_, prefix_, key, it == values_.end() ? "missing" : shown(*it), expected);
}

std::optional<std::size_t> Settings::whole_if(std::string_view key, double least, std::string_view expected) const {
  const Json* v = find(key);
  if (v == nullptr) return {};
  const double number = v->is_number() ? v->get<double>() : -1;
  if (!(number >= least && number <= kLargestSize) || number != std::floor(number)) wrong(key, expected);
  return static_cast<std::size_t>(number);
}

std::optional<std::size_t> Settings::size_if(std::string_view key) const {
  return whole_if(key, 1, "a positive whole number");
}

std::size_t Settings::count(std::string_view key, std::size_t otherwise) const {
  return whole_if(key, 0, "a whole number, 0 or more").value_or(otherwise);
}

std::size_t Settings::size(std::string_view key) const {
  const auto v = size_if(key);
  if (!v) wrong(key, "a positive whole number");
  return *v;
}

std::size_t Settings::size(std::string_view key, std::size_t otherwise) const {
  return size_if(key).value_or(otherwise);
}

std::optional<double> Settings::number_if(std::string_view key) const {
  const Json* v = find(key);
  if (v == nullptr) return {};
  const double number = v->is_number() ? v->get<double>() : -1;
  if (!(number > 0) || number > std::numeric_limits<float>::max()) wrong(key, "a positive number");
  return number;
}

std::optional<double> Settings::number_unless_zero(std::string_view key) const {
  const Json* v = find(key);
  return v != nullptr && v->is_number() && v->get<double>() == 0 ? std::nullopt : number_if(key);
}

float Settings::number(std::string_view key) const {
  const auto v = number_if(key);
  if (!v) wrong(key, "a positive number");
  return static_cast<float>(*v);
}

float Settings::number(std::string_view key, float otherwise) const {
  const auto v = number_if(key);
  return v ? static_cast<float>(*v) : otherwise;
}

bool Settings::boolean(std::string_view key, bool otherwise) const {
  const Json* v = find(key);
  if (v == nullptr) return otherwise;
  if (!v->is_boolean()) wrong(key, "true or false");
  return v->get<bool>();
}

std::optional<std::string> Settings::text(std::string_view key) const {
  const Json* v = find(key);
  if (v == nullptr) return {};
  if (!v->is_string()) wrong(key, "a string");
  return v->get<std::string>();
}

std::optional<std::vector<std::string>> Settings::texts(std::string_view key) const {
  const Json* v = find(key);
  if (v == nullptr) return {};
  if (!v->is_array() || !std::all_of(v->begin(), v->end(), [](const Json& x) { return x.is_string(); })) {
    wrong(key, "a list of strings");
  }
  return v->get<std::vector<std::string>>();
}

std::vector<float> Settings::numbers(std::string_view key, std::size_t count) const {
  const Json* v = find(key);
  const auto is_good = [](const Json& x) {
    return x.is_number() && x.get<double>() > 0 && x.get<double>() <= std::numeric_limits<float>::max();
  };
  if (v == nullptr || !v->is_array() || v->size() != count || !std::all_of(v->begin(), v->end(), is_good)) {
    wrong(key, fmt::format("{} positive numbers", count));
  }
  return v->get<std::vector<float>>();
}

std::optional<std::vector<bool>> Settings::booleans_if(std::string_view key) const {
  const Json* v = find(key);
  if (v == nullptr || !v->is_array()) return {};
  if (!std::all_of(v->begin(), v->end(), [](const Json& x) { return x.is_boolean(); })) {
    wrong(key, "a list of true and false");
  }
  return v->get<std::vector<bool>>();
}

std::optional<Settings> Settings::object(std::string_view key) const {
  const Json* v = find(key);
  if (v == nullptr) return {};
  if (!v->is_object()) wrong(key, "a JSON object");
  if (v->empty()) return {};
  Settings s = from_json(*v, where_);
  s.prefix_ = fmt::format("{}{}.", prefix_, key);
  return s;
}

bool Settings::has(std::string_view key) const {
  const auto it = values_.find(key);
  return it != values_.end() && !it->is_null();
}

bool Settings::is_null(std::string_view key) const {
  const auto it = values_.find(key);
  return it != values_.end() && it->is_null();
}

std::vector<std::string> Settings::keys() const {
  std::vector<std::string> names;
  for (const auto& [key, value] : values_.items()) names.push_back(key);
  return names;
}

void Settings::ignore(std::initializer_list<std::string_view> keys) const { read_.insert(keys.begin(), keys.end()); }

void Settings::ignore_beginning_with(std::string_view prefix) const {
  for (const auto& [key, value] : values_.items()) {
    if (key.starts_with(prefix)) read_.insert(key);
  }
}

void Settings::require(std::string_view key, const Json& value, std::string_view why) const {
  const Json* v = find(key);
  if (v != nullptr && *v != value) {
    fail("{}: '{}{}' is {}, expected {}: {}", where_, prefix_, key, shown(*v), shown(value), why);
  }
}

void Settings::require_unless_read(std::string_view key, const Json& value, std::string_view why) const {
  if (!read_.contains(key)) require(key, value, why);
}

void Settings::finish() const {
  for (const auto& [key, value] : values_.items()) {
    if (!read_.contains(key) && !says_nothing(value)) {
      fail("{}: '{}{}': {} is not understood, and may change the result", where_, prefix_, key, shown(value));
    }
  }
}

}  // namespace rung
