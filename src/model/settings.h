// Reads a model's settings with bounds, and notices what nobody read: a setting that is not understood would change the
// result in silence. Milestone M2.
#pragma once

#include <cstddef>
#include <functional>
#include <initializer_list>
#include <optional>
#include <set>
#include <string>
#include <string_view>
#include <vector>

#include "base/json.h"
#include "files/gguf.h"

namespace rung {

// Where settings come from: an object of config.json, or the keys of a GGUF file that begin with the architecture's
// name.
class Settings {
 public:
  static Settings from_json(const Json& object, std::string where);
  static Settings from_gguf(const Gguf& gguf, std::string prefix);  // prefix "llama."

  // A positive whole number up to 2^31 - 1.  Absent (or null): the default, or an Error where there is none.
  std::size_t size(std::string_view key) const;
  std::size_t size(std::string_view key, std::size_t otherwise) const;
  std::optional<std::size_t> size_if(std::string_view key) const;
  std::size_t count(std::string_view key, std::size_t otherwise) const;  // may be 0
  // A finite, positive number.
  float number(std::string_view key) const;
  float number(std::string_view key, float otherwise) const;
  std::optional<double> number_if(std::string_view key) const;
  // where the official implementation takes 0 for absent
  std::optional<double> number_unless_zero(std::string_view key) const;
  bool boolean(std::string_view key, bool otherwise) const;
  std::optional<std::string> text(std::string_view key) const;
  std::optional<std::vector<std::string>> texts(std::string_view key) const;
  // as many finite, positive numbers
  std::vector<float> numbers(std::string_view key, std::size_t count) const;
  std::optional<std::vector<bool>> booleans_if(std::string_view key) const;  // absent, or no list: nullopt
  std::optional<Settings> object(std::string_view key) const;                // absent, or empty: nullopt
  bool has(std::string_view key) const;                                      // present and not null
  bool is_null(std::string_view key) const;                                  // present, and null
  std::vector<std::string> keys() const;

  // These say nothing about the result: they need not be read.
  void ignore(std::initializer_list<std::string_view> keys) const;
  void ignore_beginning_with(std::string_view prefix) const;
  // What cannot be done unless it has this very value (or is absent).
  void require(std::string_view key, const Json& value, std::string_view why) const;
  // The same for what most families lack, unless this one has read the key before: then it knows what to do with it.
  void require_unless_read(std::string_view key, const Json& value, std::string_view why) const;
  // Throws Error if a key with a value (not null, false, or an empty list or object) was neither read nor ignored.
  void finish() const;

  [[noreturn]] void wrong(std::string_view key, std::string_view expected) const;
  const std::string& where() const { return where_; }

 private:
  Settings() = default;
  void one_for_all_layers();
  const Json* find(std::string_view key) const;  // marks it as read
  std::optional<std::size_t> whole_if(std::string_view key, double least, std::string_view expected) const;

  std::string where_;   // "model/config.json", "model.gguf"
  std::string prefix_;  // for messages: "llama.", "rope_parameters."
  Json values_;
  mutable std::set<std::string, std::less<>> read_;
};

}  // namespace rung
