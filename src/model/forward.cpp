// ids[T] → x[T, hidden] → decoder layers → logits[wanted, vocab].  Milestone M2.
//
//   x = embedding[ids]                                       [T, hidden]
//   each layer:
//     q, k, v = norm(x)·Wq, ·Wk, ·Wv                         [T, heads, head_dim], [T, kv_heads, head_dim] twice
//     q, k    = rope(norm?(q)), rope(norm?(k))               turned by position; k and v go into the cache
//     x      += post_norm?(attention(q, cache)·Wo)           [T, hidden]
//     x      += post_norm?((act(norm(x)·Wgate) ⊙ norm(x)·Wup)·Wdown)
//   logits = norm(x)·Whead                                   [wanted, vocab]
#include "model/forward.h"

#include <algorithm>
#include <cmath>

#include "base/error.h"
#include "base/signals.h"

namespace rung {

void check_ids(std::span<const std::int32_t> ids, const ModelConfig& config) {
  for (const std::int32_t id : ids) {
    if (id < 0 || static_cast<std::size_t>(id) >= config.vocab_size) {
      fail("token id {} has no row in the embedding, which ends with {}", id, config.vocab_size - 1);
    }
  }
}

namespace {

Buffer<float> room_for(std::size_t values, Ops& ops) { return {values, ops.memory(values * sizeof(float))}; }

// A pass that an exception ends leaves nothing recorded, whose memory may be gone when it is done.
struct NothingRecorded {
  Ops& ops;
  ~NothingRecorded() {
    try {
      ops.finish();
    } catch (const std::exception&) {  // the one that is on its way came first
    }
  }
};

}  // namespace

MlpRoom::MlpRoom(const ModelConfig& c, std::size_t rows, Ops& ops)
    : gate(room_for(rows * c.mlp.intermediate_size, ops)), up(room_for(rows * c.mlp.intermediate_size, ops)) {}

Activations::Activations(const ModelConfig& c, std::size_t capacity, Ops& ops)
    : rows(capacity),
      x(room_for(capacity * c.hidden_size, ops)),
      normed(room_for(capacity * c.hidden_size, ops)),
      q(room_for(capacity * c.heads * c.head_dim, ops)),
      k(room_for(capacity * c.kv_heads * c.head_dim, ops)),
      v(room_for(capacity * c.kv_heads * c.head_dim, ops)),
      attended(room_for(capacity * c.heads * c.head_dim, ops)),
      branch(room_for(capacity * c.hidden_size, ops)),
      mlp(c, capacity, ops) {}

Forward::Forward(const Model& model, Ops& ops, std::size_t context_tokens) : model_(model), ops_(ops) {
  const std::size_t context = context_tokens == 0 ? model.config.context : context_tokens;
  for (const SessionRope& rope : model.config.ropes) ropes_.push_back(rope.for_session(context));
}

Tensor<float, Tokens, Vocab> Forward::run(const Batch& batch) {
  check_ids(batch.ids, model_.config);
  const std::size_t tokens = batch.ids.size();
  if (tokens > room_.rows) room_ = Activations(model_.config, tokens, ops_);
  const BatchRows rows{batch.positions, batch.caches};
  const NothingRecorded nothing_recorded{ops_};
  for (std::size_t t = 0; t < tokens; ++t) batch.caches[t]->reserve(batch.positions[t] + 1, ops_);

  // x is the residual stream: a row a token, which every layer reads and adds to.
  const auto x = room_.x.as<Tokens, Hidden>(tokens, model_.config.hidden_size);
  ops_.embed(x, batch.ids, model_.embedding, model_.config.embedding_scale, {"embedding"});
  for (std::size_t i = 0; i < model_.layers.size(); ++i) {
    SignalWatch::check();
    decoder_layer(i, rows, room_);
  }
  const auto wanted = logits(batch, x);
  ops_.finish();
  return wanted;
}

void Forward::decoder_layer(std::size_t index, const BatchRows& rows, const Activations& room) {
  const ModelConfig& c = model_.config;
  const DecoderLayer& layer = model_.layers[index];
  const LayerConfig& settings = c.layers[index];
  const Rope& rope = ropes_[settings.rope];
  const std::size_t tokens = rows.size();
  const auto at = [&](const char* name) { return Checkpoint{name, static_cast<int>(index)}; };

  const auto x = room.x.as<Tokens, Hidden>(tokens, c.hidden_size);
  const auto normed = room.normed.as<Tokens, Hidden>(tokens, c.hidden_size);
  const auto branch = room.branch.as<Tokens, Hidden>(tokens, c.hidden_size);
  const auto q = room.q.as<Tokens, Heads, HeadDim>(tokens, c.heads, c.head_dim);
  const auto k = room.k.as<Tokens, KvHeads, HeadDim>(tokens, c.kv_heads, c.head_dim);
  const auto v = room.v.as<Tokens, KvHeads, HeadDim>(tokens, c.kv_heads, c.head_dim);
  const auto attended = room.attended.as<Tokens, Heads, HeadDim>(tokens, c.heads, c.head_dim);
  const auto gate = room.mlp.gate.as<Tokens, Intermediate>(tokens, c.mlp.intermediate_size);
  const auto up = room.mlp.up.as<Tokens, Intermediate>(tokens, c.mlp.intermediate_size);

  // Attention: what of the other tokens matters here? x is left as it is; a copy of even loudness asks.
  ops_.rms_norm(normed, x, layer.attention_norm, at("attention_norm"));
  // [T, hidden] → q [T, heads, head_dim], what a token looks for; k and v [T, kv_heads, head_dim], what it offers.
  ops_.linear_each(normed, LinearOf{q, layer.q, at("q")}, LinearOf{k, layer.k, at("k")}, LinearOf{v, layer.v, at("v")});
  // Where a family has these norms: each head of q and k by itself, so that their dot products cannot run away.
  if (layer.q_norm) ops_.rms_norm(q, q, *layer.q_norm, at("q_norm"));
  if (layer.k_norm) ops_.rms_norm(k, k, *layer.k_norm, at("k_norm"));
  // A dot product does not know where its vectors come from: each is turned by its position. v is not: nobody asks it.
  ops_.rope(q, rows.positions, rope, at("q_rope"));
  ops_.rope(k, rows.positions, rope, at("k_rope"));
  // First k and v of these tokens join those of all before them, then q looks at them all: [T, heads, head_dim].
  ops_.store_kv(rows, index, k, v);
  ops_.attention(attended, q, rows, index, settings.attention, at("attention"));
  // What the heads found, side by side, back to the width of the stream: [T, heads·head_dim] → [T, hidden].
  ops_.linear(branch, attended, layer.o, at("attention_output"));
  if (layer.attention_post_norm) ops_.rms_norm(branch, branch, *layer.attention_post_norm, at("attention_post_norm"));
  ops_.add(x, branch, at("attention_residual"));

  // The MLP: each token by itself, up to a wider space [T, intermediate], through the gate, and back.
  // x += (act(norm(x)·Wgate) ⊙ norm(x)·Wup)·Wdown
  ops_.rms_norm(normed, x, layer.mlp_norm, at("mlp_norm"));
  ops_.linear_each(normed, LinearOf{gate, layer.mlp.gate, at("gate")}, LinearOf{up, layer.mlp.up, at("up")});
  ops_.gate(gate, gate, up, layer.mlp.settings.activation, at("gated"));
  ops_.linear(branch, gate, layer.mlp.down, at("mlp_output"));
  if (layer.mlp_post_norm) ops_.rms_norm(branch, branch, *layer.mlp_post_norm, at("mlp_post_norm"));
  ops_.add(x, branch, at("output"));
}

Tensor<float, Tokens, Vocab> Forward::logits(const Batch& batch, Tensor<float, Tokens, Hidden> x) {
  // Of a prompt's tokens only the last one's logits are wanted: the others' next tokens are known.
  const std::size_t wanted = batch.logits_rows.size();
  if (wanted == 0) return {};
  const std::size_t vocab = model_.config.vocab_size;
  if (logits_.size() < wanted * vocab) logits_ = room_for(wanted * vocab, ops_);

  // Only the rows that somebody asked for, moved together.
  const auto last = room_.branch.as<Tokens, Hidden>(wanted, x.extent<Hidden>());
  ops_.take_rows(last, x, batch.logits_rows, {"final_norm"});
  const auto normed = room_.normed.as<Tokens, Hidden>(wanted, x.extent<Hidden>());
  const auto out = logits_.as<Tokens, Vocab>(wanted, vocab);
  // A logit a word of the vocabulary: how well that word's row of the head fits what is known of the last token.
  ops_.rms_norm(normed, last, model_.final_norm, {"final_norm"});
  ops_.linear(out, normed, model_.head, {"logits"});
  return out;
}

void refuse_overflow(Tensor<const float, Tokens, Vocab> logits, const KvCache& cache) {
  // one such value in a row of x makes all of the row's logits NaN
  const std::size_t rows = logits.extent<Tokens>();
  if (rows > 0 && std::isnan(logits[rows - 1].span().front())) cache.refuse_overflow();
}

KvShape kv_shape(const ModelConfig& c, DType dtype) { return {c.layers.size(), c.kv_heads, c.head_dim, dtype}; }

}  // namespace rung
