// The forward pass: the one for every family and every backend.  Milestone M2.
#pragma once

#include <cstddef>
#include <cstdint>
#include <span>
#include <vector>

#include "model/model.h"
#include "ops/ops.h"

namespace rung {

// Rows of tokens, each with its sequence and position: prefill rows of some sequences, decode rows of others, side by
// side.
struct Batch {
  std::vector<std::int32_t> ids;
  std::vector<std::uint32_t> positions;
  std::vector<KvCache*> caches;          // the row's sequence
  std::vector<std::size_t> logits_rows;  // ascending: the rows whose logits are wanted

  void add(std::int32_t id, std::uint32_t position, KvCache& cache, bool wants_logits = false) {
    if (wants_logits) logits_rows.push_back(ids.size());
    ids.push_back(id);
    positions.push_back(position);
    caches.push_back(&cache);
  }
  // A sequence from `position` on; wants_logits(i) says whether those of its i-th token are wanted.
  template <class Wants>
  void add(std::span<const std::int32_t> sequence, std::size_t position, KvCache& cache, const Wants& wants_logits) {
    for (std::size_t i = 0; i < sequence.size(); ++i) {
      add(sequence[i], static_cast<std::uint32_t>(position + i), cache, wants_logits(i));
    }
  }
  // Empty again, with its memory kept.
  void clear() {
    ids.clear();
    positions.clear();
    caches.clear();
    logits_rows.clear();
  }
};

// Throws Error: an id without a row in the embedding, as a tokenizer may have.
void check_ids(std::span<const std::int32_t> ids, const ModelConfig& config);

// Room for the intermediate tensors of up to `rows` rows.
struct Activations {
  Activations() = default;
  Activations(const ModelConfig& config, std::size_t rows, Ops& ops);
  std::size_t rows = 0;
  Buffer<float> x, normed, q, k, v, attended, branch;
  MlpRoom mlp;
};

class Forward {
 public:
  // `model` and `ops` outlive this. `context_tokens`: how many tokens a sequence may come to hold, 0: what the model
  // was made for. Some ropes turn by another table in long sessions.
  Forward(const Model& model, Ops& ops, std::size_t context_tokens = 0);

  // ids[T] → logits[rows that want them, vocab], valid until the next run. Keys and values of every row are in its
  // cache afterwards. The rows of a sequence must continue what its cache holds; positions < context. Throws Error:
  // check_ids; and Interrupted, between two layers, when Ctrl-C came and a SignalWatch lives.
  Tensor<float, Tokens, Vocab> run(const Batch& batch);

 private:
  void decoder_layer(std::size_t index, const BatchRows& rows, const Activations& room);
  Tensor<float, Tokens, Vocab> logits(const Batch& batch, Tensor<float, Tokens, Hidden> x);

  const Model& model_;
  Ops& ops_;
  std::vector<Rope> ropes_;  // those of the configuration, as they are for this context
  Activations room_;
  Buffer<float> logits_;
};

// Logits that are no numbers, because a key or a value became infinite in the cache: throws Error and says which.
void refuse_overflow(Tensor<const float, Tokens, Vocab> logits, const KvCache& cache);

// What a sequence of this model keeps.
KvShape kv_shape(const ModelConfig& config, DType dtype = DType::f32);

}  // namespace rung
