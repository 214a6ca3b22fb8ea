// Which tensor gets which type. The rules are llama.cpp's (src/llama-quant.cpp): a file that is called Q4_K_M should be
// what people know by that name.
#include <algorithm>
#include <array>
#include <charconv>

#include "base/error.h"
#include "convert/quantize.h"

namespace rung {

namespace {

// The numbers are those of general.file_type.
constexpr std::array<QuantizeFormat, 10> kFormats{{
    {"q8_0", DType::q8_0, 7},
    {"q6_k", DType::q6_k, 18},
    {"q5_0", DType::q5_0, 8},
    {"q4_k_m", DType::q4_k, 15, true},
    {"iq4_nl", DType::iq4_nl, 25},
    {"q4_1", DType::q4_1, 3},
    {"q4_0", DType::q4_0, 2},
    {"bf16", DType::bf16, 32},
    {"f16", DType::f16, 1},
    {"f32", DType::f32, 0},
}};

bool is_quantized(DType type) { return info(type).values_per_block > 1; }

bool is_matrix(const SourceTensor& t) {
  return t.shape.size() >= 2 && t.name.ends_with(".weight") && !t.name.ends_with("_norm.weight");
}

// "blk.12.ffn_down.weight" → 12
std::size_t layer_of(std::string_view name) {
  std::size_t layer = 0;
  if (name.starts_with("blk.")) std::from_chars(name.data() + 4, name.data() + name.size(), layer);
  return layer;
}

// The first and last eighth of the layers, and every third between.
bool gets_more_bits(std::size_t layer, std::size_t layers) {
  return layer < layers / 8 || layer >= 7 * layers / 8 || (layer - layers / 8) % 3 == 2;
}

// A type for rows that are no whole number of blocks of `type`: first smaller blocks of about as many bits, then none
// at all.
DType fitting(DType type, std::size_t row_values) {
  if (row_values % info(type).values_per_block == 0) return type;
  if (type == DType::q4_k) type = DType::q5_0;
  if (type == DType::q5_k) type = DType::q5_1;
  if (type == DType::q6_k) type = DType::q8_0;
  return row_values % info(type).values_per_block == 0 ? type : DType::f16;
}

// What a model is, as far as the choice depends on it.
struct Choice {
  const QuantizeFormat& format;
  bool tied = true, with_importance = false;
  std::size_t layers = 0;
  std::size_t query_rows = 0, value_rows = 0;  // of the first layer: how many heads of queries share one of values

  DType of(const SourceTensor& t) const {
    if (!is_matrix(t)) return DType::f32;
    if (!is_quantized(format.type)) return format.type;
    return fitting(before_fitting(t), t.row_values());
  }

  DType before_fitting(const SourceTensor& t) const {
    const DType type = format.type;
    if (t.name == "output.weight" || (tied && t.name == "token_embd.weight")) {
      if (t.row_values() % info(type).values_per_block != 0) return DType::q8_0;
      return type == DType::q8_0 ? type : DType::q6_k;
    }
    const std::size_t layer = layer_of(t.name);
    const bool down = t.name.ends_with(".ffn_down.weight"), value = t.name.ends_with(".attn_v.weight");
    if (format.more_for_some && (down || value) && gets_more_bits(layer, layers)) return DType::q6_k;
    if (type == DType::iq4_nl) {
      if (value && value_rows > 0 && query_rows >= 4 * value_rows) return DType::q5_k;
      if (down && layer < layers / 8 && !with_importance) return DType::q5_k;
    }
    // With an importance matrix the first down projections, whose inputs have outliers, get a shift besides the scale.
    if (with_importance && down && layer < layers / 8) {
      if (type == DType::q4_0) return DType::q4_1;
      if (type == DType::q5_0) return DType::q5_1;
    }
    return type;
  }
};

}  // namespace

std::span<const QuantizeFormat> quantize_formats() { return kFormats; }

const QuantizeFormat& quantize_format(std::string_view name) {
  std::string known;
  for (const QuantizeFormat& format : kFormats) {
    if (format.name == name) return format;
    known += fmt::format("{}{}", known.empty() ? "" : ", ", format.name);
  }
  fail("no format is called '{}', expected one of: {}", name, known);
}

std::vector<DType> choose_types(const QuantizeFormat& format, const std::vector<SourceTensor>& tensors,
                                bool with_importance) {
  Choice choice{.format = format, .with_importance = with_importance};
  for (const SourceTensor& t : tensors) {
    choice.tied = choice.tied && t.name != "output.weight";
    if (t.name.ends_with(".ffn_down.weight")) ++choice.layers;
    if (t.name == "blk.0.attn_q.weight" && !t.shape.empty()) choice.query_rows = t.shape[0];
    if (t.name == "blk.0.attn_v.weight" && !t.shape.empty()) choice.value_rows = t.shape[0];
  }
  std::vector<DType> types;
  for (const SourceTensor& t : tensors) types.push_back(choice.of(t));
  return types;
}

}  // namespace rung
