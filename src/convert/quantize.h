// A model's files → a GGUF file whose matrices are of another type.  Milestone M5.
#pragma once

#include <cstdint>
#include <filesystem>
#include <functional>
#include <map>
#include <span>
#include <string>
#include <string_view>
#include <vector>

#include "base/threads.h"
#include "convert/gguf_outline.h"

namespace rung {

// What people ask for by one name.
struct QuantizeFormat {
  std::string_view name;       // "q4_k_m"
  DType type;                  // of most matrices
  std::uint32_t file_type;     // general.file_type
  bool more_for_some = false;  // values and down projections of some layers get more bits
};

std::span<const QuantizeFormat> quantize_formats();
const QuantizeFormat& quantize_format(std::string_view name);  // throws Error

// The type of each tensor of the file to be, by llama.cpp's rules: vectors stay f32; the head (or the embedding that is
// one) gets more bits; a row that is no whole number of blocks falls back to a format with smaller ones.
std::vector<DType> choose_types(const QuantizeFormat& format, const std::vector<SourceTensor>& tensors,
                                bool with_importance);

// For each tensor, by its GGUF name, how much each of its columns matters. Empty: all alike.
using Importance = std::map<std::string, std::vector<float>, std::less<>>;

struct QuantizedTensor {
  std::string name;
  DType from, to;
  std::size_t values = 0;
  std::uint64_t bytes_before = 0, bytes = 0;
  double square_error = 0, square_sum = 0;  // Σ (value − decoded)², Σ value²
};

struct QuantizeCallbacks {
  std::function<void(std::uint64_t done, std::uint64_t total)> progress = {};  // bytes of the file that there is
  // may throw: then nothing is left behind
  std::function<void()> check = {};
};

// Writes the file, a few megabytes of floats at a time. Throws Error.
std::vector<QuantizedTensor> quantize(const GgufOutline& outline, std::span<const DType> types,
                                      const Importance& importance, const std::filesystem::path& out, ThreadTeam& team,
                                      const QuantizeCallbacks& callbacks);

}  // namespace rung
