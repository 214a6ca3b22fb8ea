// The matrix of a linear layer as a model names it. How its rows are packed is nobody's business but the backend's.
// Milestones M1, M5.
#pragma once

#include <cstddef>
#include <string>
#include <vector>

#include "tensor/dtype.h"
#include "tensor/panel_store.h"
#include "tensor/tensor.h"

namespace rung {

// The matrix without its axes: what a backend sees.
struct PackedMatrix {
  std::string name;  // as the file spells it, for errors
  DType dtype = DType::f32;
  std::size_t rows = 0;             // outputs
  std::size_t columns = 0;          // inputs
  const std::byte* data = nullptr;  // rows · row_bytes(dtype, columns), in the mapped file
  std::vector<float> bias;          // [rows], or empty: presence is the flag
  // Where its owner keeps what a backend makes of it, and its number there: that of its copies, too, and of no other.
  PanelStore* panels = nullptr;
  std::size_t id = 0;

  // Llama's GGUF files hold the rows of q and k so that RoPE's pairs are neighbours; ours are halves apart, as the
  // official weights have them. Where this is a head's size, row p·head_dim/2 + i of a head is the file's row 2i + p.
  std::size_t neighbours_head_dim = 0;

  const std::byte* row(std::size_t r) const { return data + row_in_file(r) * row_bytes(dtype, columns); }
  std::size_t row_in_file(std::size_t r) const {
    if (neighbours_head_dim == 0) return r;
    const std::size_t in_head = r % neighbours_head_dim, half = neighbours_head_dim / 2;
    return r - in_head + in_head % half * 2 + in_head / half;
  }
  std::size_t bytes() const { return rows * row_bytes(dtype, columns); }
};

// Weight<QueryDim, Hidden>: takes a vector along Hidden to one along QueryDim.
template <class Out, class In>
struct Weight {
  PackedMatrix matrix;
};

}  // namespace rung
