// The second half of a decoder layer: its sizes, its weights, their rows in the table of tensors, and the room that a
// pass needs. Its steps are the last ones of a layer in forward.cpp.  Milestone M2.
//
//   x[T, hidden] → gate, up [T, intermediate] → act(gate) ⊙ up → ·down → [T, hidden]
//
// (GLU Variants Improve Transformer, Shazeer 2020, arXiv:2002.05202.) An MLP of another kind, as a mixture of experts,
// is another type here, in a std::variant, and another way to go in forward.cpp.
#pragma once

#include <cstddef>

#include "model/weight_layout.h"
#include "ops/ops.h"
#include "tensor/tensor.h"
#include "tensor/weight.h"

namespace rung {

struct ModelConfig;  // holds the settings: config.h

struct MlpSettings {
  std::size_t intermediate_size = 0;
  Activation activation = Activation::silu;
};

struct Mlp {
  MlpSettings settings;  // its own, as a Norm has its epsilon
  Weight<Intermediate, Hidden> gate = {};
  Weight<Intermediate, Hidden> up = {};
  Weight<Hidden, Intermediate> down = {};
};

// f(entry, place) for each of its tensors: its part of the table.
template <class AnyMlp, class F>
void for_each_mlp_tensor(AnyMlp& mlp, const F& f) {
  using E = TensorEntry;
  using W = WeightLayout;
  f(E{.hub = "mlp.gate_proj", .gguf = "ffn_gate", .bias = &W::mlp_bias}, mlp.gate);
  f(E{.hub = "mlp.up_proj", .gguf = "ffn_up", .bias = &W::mlp_bias}, mlp.up);
  f(E{.hub = "mlp.down_proj", .gguf = "ffn_down", .bias = &W::mlp_bias}, mlp.down);
}

// How long its own axis is in a model (a ModelConfig, which comes later).
template <class Config>
std::size_t extent(Intermediate, const Config& config) {
  return config.mlp.intermediate_size;
}

// What a pass of up to `rows` rows has between its steps.
struct MlpRoom {
  MlpRoom() = default;
  MlpRoom(const ModelConfig& config, std::size_t rows, Ops& ops);  // forward.cpp
  Buffer<float> gate, up;
};

}  // namespace rung
