// What a target does with a model whose weights found their places.
#pragma once

#include <cstddef>
#include <cstdlib>
#include <vector>

#include "model/model.h"
#include "model/tensor_table.h"
#include "tensor/blocks.h"

namespace rung {

// Every row of every matrix is decoded, as the engine would: the sanitizers see what lies outside. Aborts where parts
// do not fit each other.
inline void read_all(const Model& model) {
  const ModelConfig& c = model.config;
  if (model.layers.size() != c.layers.size() || model.final_norm.weight.size() != c.hidden_size) std::abort();
  for (const LayerConfig& layer : c.layers) {
    if (layer.rope >= c.ropes.size()) std::abort();
  }
  for_each_tensor(model, [&](const TensorEntry&, LayerIndex, const auto& place) {
    const PackedMatrix* w = matrix_of(place);
    if (w == nullptr) return;
    if (!w->bias.empty() && w->bias.size() != w->rows) std::abort();
    std::vector<float> row(w->columns);
    for (std::size_t r = 0; r < w->rows; ++r) decode_row(row, w->dtype, w->row(r));
  });
}

}  // namespace rung
