// A model's files → what a GGUF file of the same model will hold: metadata, and for each tensor where its rows come
// from.  Milestone M5.
#pragma once

#include <cstddef>
#include <optional>
#include <span>
#include <string>
#include <string_view>
#include <vector>

#include "base/json_fwd.h"
#include "engine/loaded_model.h"
#include "files/write_gguf.h"
#include "tensor/weight.h"

namespace rung {

// A tensor as GGUF names it, and its values as they lie in the file that there is.
struct SourceTensor {
  std::string name;
  DType dtype = DType::f32;
  std::vector<std::size_t> shape;
  std::span<const std::byte> bytes;  // empty: `values` are the tensor
  std::vector<float> values = {};    // of one that is computed
  // a head's size where rows of q and k are to be moved: GGUF wants RoPE's pairs side by side
  std::size_t halves_head_dim = 0;
  float added = 0;  // to each value: Gemma's norms are 1 + w

  std::size_t row_values() const { return shape.empty() ? 1 : shape.back(); }
  std::size_t rows() const;
  bool as_it_stands() const { return values.empty() && halves_head_dim == 0 && added == 0; }
  // Row r of the GGUF file as floats, out.size() == row_values().
  void read_row(std::span<float> out, std::size_t r) const;
};

// Row `r` of q or k in a GGUF file → where the official weights have it: row 2i + p of a head is row p·head_dim/2 + i.
inline std::size_t official_row(std::size_t r, std::size_t head_dim) {
  const std::size_t in_head = r % head_dim;
  return r - in_head + in_head % 2 * (head_dim / 2) + in_head / 2;
}

struct GgufOutline {
  GgufMetadata metadata;
  std::vector<SourceTensor> tensors;  // in the order of the file to be
  bool has_tokenizer = true;
};

// Of a GGUF the metadata stay what they are; of a folder they are made as llama.cpp's converter makes them. The views
// in it point into `files`, which outlives it. `pre`: the pre-tokenizer of a folder's tokenizer.json, where its name is
// not found. Throws Error: what GGUF cannot express, what this family has no place for.
GgufOutline outline_gguf(const ModelFiles& files, std::optional<std::string_view> pre = {});

// A JSON file of a folder, an object; absent: nullopt.
std::optional<Json> folder_json(const ModelFiles& files, const char* name);

// The two parts of a folder's: folder_tensors.cpp and folder_tokenizer.cpp.
std::vector<SourceTensor> folder_tensors(const ModelFiles& files, const ModelPlan& plan, const WeightLayout& gguf);
void set_folder_tokenizer(GgufMetadata& out, const ModelFiles& files, std::size_t tokens,
                          std::optional<std::string_view> pre);

}  // namespace rung
