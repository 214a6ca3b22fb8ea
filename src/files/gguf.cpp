#include "files/gguf.h"

#include <limits>
#include <type_traits>
#include <utility>

#include "base/error.h"
#include "base/printable.h"
#include "files/gguf_part.h"

namespace rung {

namespace {

template <class T>
constexpr bool is_integer = std::is_integral_v<T> && !std::is_same_v<T, bool>;

[[noreturn]] void fail_type(const Gguf& gguf, std::string_view key, const GgufValue& value, std::string_view expected) {
  fail("{}: metadata '{}' is of type {}, expected {}", gguf.file(), printable(key), type_name(value), expected);
}

const GgufValue* find(const Gguf& gguf, std::string_view key) {
  const auto found = gguf.metadata().find(key);
  return found == gguf.metadata().end() ? nullptr : &found->second;
}

const GgufScalar& scalar(const Gguf& gguf, std::string_view key, const GgufValue& value, std::string_view expected) {
  const auto* found = std::get_if<GgufScalar>(&value);
  if (found == nullptr) fail_type(gguf, key, value, expected);
  return *found;
}

const GgufArray& array(const Gguf& gguf, std::string_view key, const GgufValue& value, std::string_view expected) {
  const auto* found = std::get_if<GgufArray>(&value);
  if (found == nullptr) fail_type(gguf, key, value, expected);
  return *found;
}

template <class T>
std::int64_t to_int64(const Gguf& gguf, std::string_view key, T value) {
  if constexpr (std::is_same_v<T, std::uint64_t>) {
    if (value > static_cast<std::uint64_t>(std::numeric_limits<std::int64_t>::max())) {
      fail("{}: metadata '{}' is {}, expected at most {}", gguf.file(), printable(key), value,
           std::numeric_limits<std::int64_t>::max());
    }
  }
  return static_cast<std::int64_t>(value);
}

// NAME-00002-of-00003.gguf, which is part `own` (from 0) of `count` → the name of part `index`.
std::string sibling(const std::filesystem::path& path, std::int64_t own, std::int64_t index, std::int64_t count) {
  const std::string name = path.filename().string();
  const std::string ending = fmt::format("-{:05}-of-{:05}.gguf", own + 1, count);
  if (name.size() < ending.size() || name.compare(name.size() - ending.size(), ending.size(), ending) != 0) {
    fail("{}: is part {} of {} of a split model, expected a name that ends in '{}'", path.string(), own + 1, count,
         ending);
  }
  return fmt::format("{}-{:05}-of-{:05}.gguf", name.substr(0, name.size() - ending.size()), index + 1, count);
}

constexpr std::int64_t kMaxParts = 99999;  // five digits in the name

}  // namespace

Gguf Gguf::open_one(const Folder& folder, const std::string& name) {
  Gguf gguf;
  gguf.file_ = (folder.path() / name).string();
  gguf.files_.push_back(folder.open(name));
  GgufPart part = parse_gguf(gguf.files_.back().bytes(), gguf.file_);
  gguf.version_ = part.version;
  gguf.metadata_ = std::move(part.metadata);
  gguf.tensors_ = std::move(part.tensors);
  return gguf;
}

Gguf Gguf::open(const Folder& folder, const std::string& name) {
  Gguf given = open_one(folder, name);
  const std::int64_t count = given.integer("split.count").value_or(1);
  if (count == 0 || count == 1) return given;
  const std::int64_t own = given.integer("split.no").value_or(-1);
  if (count < 0 || count > kMaxParts || own < 0 || own >= count) {
    fail("{}: metadata 'split.no' is {} and 'split.count' is {}, expected a part from 0 of at most {}", given.file_,
         own, count, kMaxParts);
  }
  const std::string path = given.file_;
  const auto part_at = [&](std::int64_t index) { return open_one(folder, sibling(path, own, index, count)); };
  Gguf whole = own == 0 ? std::move(given) : part_at(0);
  whole.check_part(0, count);
  for (std::int64_t i = 1; i < count; ++i) {
    Gguf part = part_at(i);
    part.check_part(i, count);
    whole.absorb(std::move(part));
  }
  const auto found = static_cast<std::int64_t>(whole.tensors_.size() + whole.tensors_.others.size());
  const std::int64_t expected = whole.integer("split.tensors.count").value_or(found);
  if (found != expected) fail("{}: the {} parts hold {} tensors, expected {}", whole.file_, count, found, expected);
  return whole;
}

void Gguf::check_part(std::int64_t index, std::int64_t count) const {
  const std::int64_t found_index = integer("split.no").value_or(-1), found_count = integer("split.count").value_or(-1);
  if (found_index != index || found_count != count) {
    fail("{}: says that it is part {} of {} (counted from 0), expected {} of {}", file_, found_index, found_count,
         index, count);
  }
}

void Gguf::absorb(Gguf part) {
  const auto refuse_duplicate = [&](const std::string& name) {
    if (tensors_.count(name) + tensors_.others.count(name) != 0) {
      fail("{}: tensor '{}' is in an earlier part too", part.file_, printable(name));
    }
  };
  for (auto& [name, tensor] : part.tensors_) {
    refuse_duplicate(name);
    tensors_.emplace(name, std::move(tensor));
  }
  for (auto& [name, tensor] : part.tensors_.others) {
    refuse_duplicate(name);
    tensors_.others.emplace(name, std::move(tensor));
  }
  for (MappedFile& file : part.files_) files_.push_back(std::move(file));
}

std::optional<std::string_view> Gguf::string(std::string_view key) const {
  const GgufValue* value = find(*this, key);
  if (value == nullptr) return std::nullopt;
  const auto* text = std::get_if<std::string_view>(&scalar(*this, key, *value, "a string"));
  if (text == nullptr) fail_type(*this, key, *value, "a string");
  return *text;
}

std::optional<std::int64_t> Gguf::integer(std::string_view key) const {
  const GgufValue* value = find(*this, key);
  if (value == nullptr) return std::nullopt;
  return std::visit(
      [&](auto v) -> std::int64_t {
        if constexpr (is_integer<decltype(v)>) return to_int64(*this, key, v);
        fail_type(*this, key, *value, "an integer");
      },
      scalar(*this, key, *value, "an integer"));
}

std::optional<double> Gguf::number(std::string_view key) const {
  const GgufValue* value = find(*this, key);
  if (value == nullptr) return std::nullopt;
  return std::visit(
      [&](auto v) -> double {
        if constexpr (is_integer<decltype(v)> || std::is_floating_point_v<decltype(v)>) return static_cast<double>(v);
        fail_type(*this, key, *value, "a number");
      },
      scalar(*this, key, *value, "a number"));
}

std::optional<bool> Gguf::boolean(std::string_view key) const {
  const GgufValue* value = find(*this, key);
  if (value == nullptr) return std::nullopt;
  const auto* flag = std::get_if<bool>(&scalar(*this, key, *value, "a bool"));
  if (flag == nullptr) fail_type(*this, key, *value, "a bool");
  return *flag;
}

const std::vector<std::string_view>* Gguf::strings(std::string_view key) const {
  const GgufValue* value = find(*this, key);
  if (value == nullptr) return nullptr;
  const auto* texts =
      std::get_if<std::vector<std::string_view>>(&array(*this, key, *value, "an array of strings").values);
  if (texts == nullptr) fail_type(*this, key, *value, "an array of strings");
  return texts;
}

std::optional<std::vector<std::int64_t>> Gguf::integers(std::string_view key) const {
  const GgufValue* value = find(*this, key);
  if (value == nullptr) return std::nullopt;
  return std::visit(
      [&](const auto& values) -> std::vector<std::int64_t> {
        using T = typename std::decay_t<decltype(values)>::value_type;
        if constexpr (std::is_integral_v<T>) {
          std::vector<std::int64_t> out;
          out.reserve(values.size());
          for (const T v : values) out.push_back(to_int64(*this, key, v));
          return out;
        }
        fail_type(*this, key, *value, "an array of integers");
      },
      array(*this, key, *value, "an array of integers").values);
}

std::optional<std::vector<float>> Gguf::floats(std::string_view key) const {
  const GgufValue* value = find(*this, key);
  if (value == nullptr) return std::nullopt;
  return std::visit(
      [&](const auto& values) -> std::vector<float> {
        using T = typename std::decay_t<decltype(values)>::value_type;
        if constexpr (std::is_floating_point_v<T>) {
          std::vector<float> out;
          out.reserve(values.size());
          for (const T v : values) out.push_back(static_cast<float>(v));
          return out;
        }
        fail_type(*this, key, *value, "an array of floats");
      },
      array(*this, key, *value, "an array of floats").values);
}

}  // namespace rung
