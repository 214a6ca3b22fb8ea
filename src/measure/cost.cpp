#include "measure/cost.h"

#include <algorithm>

#include "model/tensor_table.h"

namespace rung {

PassCost& PassCost::operator+=(const PassCost& other) {
  weight_bytes += other.weight_bytes;
  cache_bytes += other.cache_bytes;
  int8_operations += other.int8_operations;
  bf16_operations += other.bf16_operations;
  float_operations += other.float_operations;
  return *this;
}

namespace {

void add_linear(PassCost& cost, const PackedMatrix& w, std::size_t rows) {
  cost.weight_bytes += static_cast<double>(w.bytes());
  const double operations =
      2.0 * static_cast<double>(w.rows) * static_cast<double>(w.columns) * static_cast<double>(rows);
  const bool quantised = info(w.dtype).values_per_block > 1, bf16 = w.dtype == DType::bf16;
  (quantised ? cost.int8_operations : bf16 ? cost.bf16_operations : cost.float_operations) += operations;
}

// How many keys the tokens at [before, before + tokens) look at, together.
double keys_seen(const PassShape& pass, std::size_t window) {
  double keys = 0;
  for (std::size_t t = pass.before; t < pass.before + pass.tokens; ++t) {
    keys += static_cast<double>(window == 0 ? t + 1 : std::min(window, t + 1));
  }
  return keys;
}

}  // namespace

PassCost cost_of(const Model& model, const KvShape& cache, const PassShape& pass) {
  const ModelConfig& c = model.config;
  const std::size_t rows = pass.sequences * pass.tokens, end = pass.before + pass.tokens;
  const auto sequences = static_cast<double>(pass.sequences);
  const double position_bytes = static_cast<double>(cache.bytes_per_position()) / static_cast<double>(cache.layers);
  PassCost cost;
  cost.weight_bytes =
      static_cast<double>(rows * row_bytes(model.embedding.matrix.dtype, model.embedding.matrix.columns));
  for (std::size_t i = 0; i < model.layers.size(); ++i) {
    for_each_layer_tensor(model.layers[i], [&](const TensorEntry&, const auto& place) {
      if (const PackedMatrix* w = matrix_of(place)) add_linear(cost, *w, rows);
    });
    const std::size_t window = c.layers[i].attention.window_tokens;
    const std::size_t kept = window == 0 ? end : std::min(end, window + pass.tokens - 1);
    cost.cache_bytes += sequences * position_bytes * static_cast<double>(kept);
    // q·k, then times v
    cost.float_operations += sequences * 4.0 * static_cast<double>(c.heads * c.head_dim) * keys_seen(pass, window);
  }
  if (pass.logits) add_linear(cost, model.head.matrix, pass.sequences);
  return cost;
}

}  // namespace rung
