// The weights of a decoder, named as the field names them.  Milestone M2.
#pragma once

#include <cstddef>
#include <memory>
#include <optional>
#include <vector>

#include "files/tensor_map.h"
#include "model/config.h"
#include "model/mlp.h"
#include "ops/ops.h"
#include "tensor/weight.h"

namespace rung {

struct DecoderLayer {
  Norm attention_norm;
  Weight<QueryDim, Hidden> q;
  Weight<KvDim, Hidden> k;
  Weight<KvDim, Hidden> v;
  Weight<Hidden, QueryDim> o;
  std::optional<Norm> q_norm;  // along head_dim
  std::optional<Norm> k_norm;
  std::optional<Norm> attention_post_norm;
  Norm mlp_norm;
  Mlp mlp;
  std::optional<Norm> mlp_post_norm;
};

struct Model {
  ModelConfig config;
  std::unique_ptr<PanelStore> panels;  // of the matrices below
  Weight<Vocab, Hidden> embedding;
  std::vector<DecoderLayer> layers;
  Norm final_norm;
  Weight<Vocab, Hidden> head;  // the embedding itself where the model ties them
  bool tied = false;

  std::size_t parameters() const;
  std::size_t weight_bytes() const;  // bytes that hold them; a tied head counts once
};

// Takes the tensors of a file to their places. What the file holds must outlive the Model: weights point into it.
// Throws Error: a tensor that is missing, has another shape than the config says, or is not understood.
Model bind_weights(ModelPlan plan, const TensorMap& tensors);

}  // namespace rung
