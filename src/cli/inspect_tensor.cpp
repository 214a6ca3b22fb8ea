// One tensor: what its values are like, and what its first bytes mean.  Milestones M1, M5.
#include <fmt/format.h>
#include <fmt/ranges.h>

#include <algorithm>
#include <cmath>
#include <cstring>
#include <limits>

#include "base/half.h"
#include "cli/inspect.h"
#include "cli/terminal.h"
#include "tensor/blocks.h"

namespace rung {

namespace {

constexpr std::size_t kBins = 24;
constexpr std::size_t kFirstValues = 16;  // shown of a plain type; of a block type the whole first block

// f(values) for the tensor, piece by piece: a row may be long, and nothing of the size of the tensor is ever in memory.
template <class F>
void for_each_piece(const FileTensor& tensor, const F& f) {
  const DTypeInfo& type = info(tensor.dtype);
  constexpr std::size_t kPieceValues = 1 << 16;  // a multiple of every block
  std::vector<float> piece(std::min(kPieceValues, tensor.size()));
  Progress progress(fmt::format("reading {}", visible(tensor.name)));
  for (std::size_t at = 0; at < tensor.size(); at += kPieceValues) {
    const std::span<float> values(piece.data(), std::min(kPieceValues, tensor.size() - at));
    decode_row(values, tensor.dtype, tensor.bytes.data() + at / type.values_per_block * type.bytes_per_block);
    f(std::span<const float>(values));
    progress.update(at, tensor.size(), "values");
  }
}

std::string hex(std::span<const std::byte> bytes) {
  std::string out;
  for (const std::byte b : bytes) out += fmt::format("{}{:02x}", out.empty() ? "" : " ", static_cast<unsigned>(b));
  return out;
}

float read_f16(std::span<const std::byte> bytes) {
  f16 half;
  std::memcpy(&half, bytes.data(), sizeof(half));
  return to_f32(half);
}

// JSON has no NaN and no infinity: they become text.
OrderedJson number(double value) {
  if (std::isfinite(value)) return value;
  return std::isnan(value) ? "NaN" : value > 0 ? "Infinity" : "-Infinity";
}

std::string number_text(const OrderedJson& value) {
  return value.is_string() ? value.get<std::string>() : fmt::format("{:.6g}", value.get<double>());
}

// The fields of the first block; of a plain type, the bytes of each of the first values.
OrderedJson describe_first(const FileTensor& tensor) {
  const DTypeInfo& type = info(tensor.dtype);
  const std::size_t count = std::min(tensor.size(), type.values_per_block == 1 ? kFirstValues : type.values_per_block);
  std::vector<float> values(count);
  decode_row(values, tensor.dtype, tensor.bytes.data());
  OrderedJson first = OrderedJson::object();
  if (count == 0) return first;
  OrderedJson fields = OrderedJson::array();
  if (type.values_per_block == 1) {
    const std::size_t each = type.bytes_per_block;
    for (std::size_t i = 0; i < count; ++i) fields.push_back({{"bytes", hex(tensor.bytes.subspan(i * each, each))}});
  } else {
    std::size_t at = 0;
    for (const BlockField& field : block_fields(tensor.dtype)) {
      OrderedJson entry{{"name", field.name}, {"bytes", hex(tensor.bytes.subspan(at, field.bytes))}};
      if (field.is_f16()) entry["value"] = number(static_cast<double>(read_f16(tensor.bytes.subspan(at, 2))));
      fields.push_back(std::move(entry));
      at += field.bytes;
    }
  }
  OrderedJson decoded = OrderedJson::array();
  for (const float value : values) decoded.push_back(number(static_cast<double>(value)));
  first["fields"] = std::move(fields);
  first["values"] = std::move(decoded);
  return first;
}

std::string bar(double share, std::size_t width) {
  static constexpr const char* kEighths[] = {"", "▏", "▎", "▍", "▌", "▋", "▊", "▉"};
  auto eighths = static_cast<std::size_t>(std::lround(share * static_cast<double>(8 * width)));
  if (share > 0 && eighths == 0) eighths = 1;
  std::string out;
  for (; eighths >= 8; eighths -= 8) out += "█";
  return out + kEighths[eighths];
}

std::string histogram_text(const OrderedJson& statistics) {
  const OrderedJson& counts = statistics["histogram"];
  std::size_t most = 1;
  for (const auto& count : counts) most = std::max(most, count.get<std::size_t>());
  const double min = statistics["min"].get<double>(), max = statistics["max"].get<double>();
  const std::size_t width = std::clamp<std::size_t>(terminal_columns(), 60, 100) - 30;
  std::string out;
  for (std::size_t i = 0; i < counts.size(); ++i) {
    const double low = min + (max - min) * static_cast<double>(i) / static_cast<double>(counts.size());
    const auto count = counts[i].get<std::size_t>();
    out += fmt::format("  {}{:>12.4g}{}  {}{}{} {}{}{}\n", style().dim, low, style().reset, style().cyan,
                       bar(static_cast<double>(count) / static_cast<double>(most), width), style().reset, style().dim,
                       count, style().reset);
  }
  return out;
}

std::string first_text(const OrderedJson& tensor) {
  const OrderedJson& first = tensor["first"];
  if (first.empty()) return "";
  const bool plain = !first["fields"][0].contains("name");
  std::string out = plain ? "\nthe first values, and their bytes\n"
                          : fmt::format("\nthe first block: {} bytes are {} values\n", count_in(tensor, "block_bytes"),
                                        first["values"].size());
  for (std::size_t i = 0; i < first["fields"].size(); ++i) {
    const OrderedJson& field = first["fields"][i];
    if (plain) {
      out += fmt::format("  {}{}{}  {:>14}\n", style().yellow, text_in(field, "bytes"), style().reset,
                         number_text(first["values"][i]));
      continue;
    }
    std::string bytes = text_in(field, "bytes");
    // 16 bytes a line
    for (std::size_t at = 48; at < bytes.size(); at += 48 + 11) bytes.replace(at - 1, 1, fmt::format("\n{:10}", ""));
    const std::string value = field.contains("value") ? " = " + number_text(field["value"]) : "";
    out += fmt::format("  {:<7} {}{}{}{}\n", text_in(field, "name"), style().yellow, bytes, style().reset, value);
  }
  if (plain) return out;
  for (std::size_t i = 0; i < first["values"].size(); ++i) {
    if (i % 8 == 0) out += i == 0 ? "  values " : "\n         ";
    out += fmt::format(" {:>10}", number_text(first["values"][i]));
  }
  return out + "\n";
}

}  // namespace

TensorStatistics statistics(const FileTensor& tensor, std::size_t bins) {
  TensorStatistics s;
  s.min = std::numeric_limits<double>::infinity();
  s.max = -s.min;
  double sum = 0, squares = 0;
  for_each_piece(tensor, [&](std::span<const float> values) {
    for (const float f : values) {
      const auto v = static_cast<double>(f);
      if (!std::isfinite(v)) {
        ++(std::isnan(v) ? s.nans : s.infinities);
        continue;
      }
      s.zeros += v == 0 ? 1 : 0;
      s.min = std::min(s.min, v);
      s.max = std::max(s.max, v);
      sum += v;
      squares += v * v;
    }
  });
  s.values = tensor.size();
  const std::size_t finite = s.values - s.nans - s.infinities;
  if (finite == 0) {
    s.min = s.max = 0;
    return s;
  }
  s.mean = sum / static_cast<double>(finite);
  s.rms = std::sqrt(squares / static_cast<double>(finite));

  s.histogram.resize(s.max > s.min ? bins : 1);
  const double step = (s.max - s.min) / static_cast<double>(s.histogram.size());
  for_each_piece(tensor, [&](std::span<const float> values) {
    for (const float f : values) {
      if (!std::isfinite(f)) continue;
      const double place = step > 0 ? (static_cast<double>(f) - s.min) / step : 0;
      ++s.histogram[std::min(static_cast<std::size_t>(place), s.histogram.size() - 1)];
    }
  });
  return s;
}

OrderedJson describe_tensor(const FileTensor& tensor) {
  const DTypeInfo& type = info(tensor.dtype);
  const TensorStatistics s = statistics(tensor, kBins);
  return {{"name", tensor.name},
          {"type", type.name},
          {"shape", tensor.shape},
          {"bytes", tensor.bytes.size()},
          {"file", tensor.file},
          {"block_values", type.values_per_block},
          {"block_bytes", type.bytes_per_block},
          {"statistics",
           {{"values", s.values},
            {"min", s.min},
            {"max", s.max},
            {"mean", s.mean},
            {"rms", s.rms},
            {"zeros", s.zeros},
            {"nans", s.nans},
            {"infinities", s.infinities},
            {"histogram", s.histogram}}},
          {"first", describe_first(tensor)}};
}

std::string tensor_text(const OrderedJson& tensor) {
  const OrderedJson& s = tensor["statistics"];
  std::string out =
      fmt::format("{}{}{}  {} [{}], {} in {}\n", style().bold, visible(text_in(tensor, "name")), style().reset,
                  text_in(tensor, "type"), fmt::join(tensor["shape"].get<std::vector<std::size_t>>(), ", "),
                  human_bytes(count_in(tensor, "bytes")), visible(text_in(tensor, "file")));
  const auto count = [&](const char* key) { return s[key].get<std::size_t>(); };
  out += fmt::format("  min {:.6g}  max {:.6g}  mean {:.6g}  rms {:.6g}  zeros {} of {}\n", s["min"].get<double>(),
                     s["max"].get<double>(), s["mean"].get<double>(), s["rms"].get<double>(), count("zeros"),
                     count("values"));
  if (count("nans") + count("infinities") != 0) {
    out += fmt::format("  {}{} NaN, {} infinite{}\n", style().red, count("nans"), count("infinities"), style().reset);
  }
  if (!s["histogram"].empty()) out += "\n" + histogram_text(s);
  return out + first_text(tensor);
}

}  // namespace rung
