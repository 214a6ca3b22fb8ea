// The table of tensors, and what a model's files say about themselves.  Milestone M1.
#include <fmt/format.h>
#include <fmt/ranges.h>

#include <algorithm>
#include <cmath>
#include <string>

#include "base/mapped_file.h"
#include "base/utf8.h"
#include "cli/inspect.h"
#include "cli/terminal.h"
#include "files/gguf_part.h"

namespace rung {

namespace {

constexpr std::size_t kShownValueBytes = 60;  // of a value in the table

OrderedJson tensor_row(const std::string& name, std::string_view type, const std::vector<std::size_t>& shape,
                       std::size_t bytes) {
  std::size_t values = 1;
  for (const std::size_t extent : shape) values *= extent;
  OrderedJson row = OrderedJson::object();
  put_text(row, "name", name);
  row.update({{"type", type}, {"shape", shape}, {"values", values}, {"bytes", bytes}});
  if (values != 0) row["bits_per_weight"] = 8 * static_cast<double>(bytes) / static_cast<double>(values);
  return row;
}

// Values of a GGUF file as JSON; an array is {"size", "first"}: of a vocabulary nobody wants to see a quarter of a
// million lines.
struct ValueToJson {
  std::size_t array_limit;

  OrderedJson operator()(const GgufValue& value) const {
    if (const auto* scalar = std::get_if<GgufScalar>(&value)) {
      return std::visit([this](const auto& v) { return element(v); }, *scalar);
    }
    return array(*std::get_if<GgufArray>(&value));
  }

  OrderedJson array(const GgufArray& value) const {
    OrderedJson first = OrderedJson::array();
    std::visit(
        [&](const auto& values) {
          for (std::size_t i = 0; i < std::min(values.size(), array_limit); ++i) first.push_back(element(values[i]));
        },
        value.values);
    return {{"size", value.size()}, {"first", std::move(first)}};
  }

 private:
  OrderedJson element(const GgufArray& value) const { return array(value); }
  // As short as tells it from other floats: 1e-05, where its double is 9.999999747378752e-06.
  OrderedJson element(float value) const {
    return std::isfinite(value) ? OrderedJson(std::stod(fmt::format("{}", value))) : OrderedJson();
  }
  template <class T>
  OrderedJson element(const T& value) const {
    return OrderedJson(value);
  }
};

OrderedJson entry(const std::string& key, std::string type, OrderedJson value) {
  OrderedJson row = OrderedJson::object();
  put_text(row, "key", key);
  row["type"] = std::move(type);
  if (value.is_string()) {
    put_text(row, "value", value.get_ref<const std::string&>());
  } else {
    row["value"] = std::move(value);
  }
  return row;
}

void add_json_file(OrderedJson& out, const Folder& folder, const std::string& name) {
  if (!folder.has(name)) return;
  const MappedFile file = folder.open(name);
  const OrderedJson json = parse_ordered_json(file.text(), file.path().string());
  for (const auto& [key, value] : json.items()) out.push_back(entry(name + ": " + key, value.type_name(), value));
}

std::string value_text(const OrderedJson& value) {
  if (value.is_string()) return shortened(visible(value.get<std::string>()));
  const auto dump = [](const OrderedJson& v) { return v.dump(-1, ' ', false, OrderedJson::error_handler_t::replace); };
  if (!value.is_object() || !value.contains("size") || !value.contains("first")) return shortened(visible(dump(value)));
  return fmt::format("{} values: {}", count_in(value, "size"), shortened(visible(dump(value["first"]))));
}

std::size_t widest(const OrderedJson& rows, const char* key, std::size_t limit) {
  std::size_t width = 0;
  for (const OrderedJson& row : rows) {
    width = std::max(width, std::min(limit, visible(row[key].get<std::string>()).size()));
  }
  return width;
}

}  // namespace

std::string shortened(std::string text) {
  if (text.size() <= kShownValueBytes) return text;
  std::size_t end = 0;  // of the last character that is shown whole; a byte that is none counts as one
  for (std::size_t next = 0; next <= kShownValueBytes;) {
    end = next;
    next += std::max<std::size_t>(1, whole_utf8(std::string_view(text).substr(next)));
  }
  return text.substr(0, end) + "…";
}

OrderedJson describe_tensors(const TensorMap& tensors) {
  OrderedJson rows = OrderedJson::array();
  for (const auto& [name, t] : tensors) rows.push_back(tensor_row(name, info(t.dtype).name, t.shape, t.bytes.size()));
  for (const auto& [name, t] : tensors.others) rows.push_back(tensor_row(name, t.type, t.shape, t.bytes.size()));
  return rows;
}

std::string tensors_text(const OrderedJson& tensors) {
  const std::size_t names = widest(tensors, "name", 60), types = widest(tensors, "type", 12);
  std::string out = fmt::format("{}{:<{}}  {:<{}}  {:>18}  {:>10}  {:>11}{}\n", style().dim, "name", names, "type",
                                types, "shape", "bytes", "bits/weight", style().reset);
  for (const OrderedJson& t : tensors) {
    const auto bits =
        t.contains("bits_per_weight") ? fmt::format("{:.4g}", t["bits_per_weight"].get<double>()) : std::string("-");
    const std::string shape = fmt::format("{}", fmt::join(t["shape"].get<std::vector<std::size_t>>(), " × "));
    out +=
        fmt::format("{:<{}}  {}{:<{}}{}  {:>18}  {:>10}  {:>11}\n", visible(text_in(t, "name")), names, style().cyan,
                    visible(text_in(t, "type")), types, style().reset, shape, human_bytes(count_in(t, "bytes")), bits);
  }
  return out;
}

OrderedJson describe_metadata(const ModelFiles& files, std::size_t array_limit) {
  OrderedJson out = OrderedJson::array();
  if (files.is_gguf()) {
    for (const auto& [key, value] : files.gguf().metadata()) {
      out.push_back(entry(key, type_name(value), ValueToJson{array_limit}(value)));
    }
    return out;
  }
  for (const char* name : {"config.json", "generation_config.json", "tokenizer_config.json"}) {
    add_json_file(out, files.folder(), name);
  }
  return out;
}

OrderedJson describe_metadata(const std::map<std::string, std::string>& notes) {
  OrderedJson out = OrderedJson::array();
  for (const auto& [key, value] : notes) out.push_back(entry(key, "string", value));
  return out;
}

std::string metadata_text(const OrderedJson& metadata) {
  const std::size_t keys = widest(metadata, "key", 44), types = widest(metadata, "type", 16);
  std::string out;
  for (const OrderedJson& m : metadata) {
    out += fmt::format("{:<{}}  {}{:<{}}{}  {}\n", visible(text_in(m, "key")), keys, style().cyan, text_in(m, "type"),
                       types, style().reset, value_text(m["value"]));
  }
  return out;
}

}  // namespace rung
