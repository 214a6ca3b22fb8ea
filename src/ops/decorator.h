// An Ops around an Ops: passes every verb on. Its heirs change one thing. linear_each stays what Ops makes of it: so an
// heir who changes do_linear changes all linear layers.
#pragma once

#include "ops/ops.h"

namespace rung {

class OpsDecorator : public Ops {
 public:
  explicit OpsDecorator(Ops& inner) : inner_(inner) {}  // `inner` outlives this

  void do_embed(Matrix out, std::span<const std::int32_t> ids, const PackedMatrix& table, float scale) override {
    inner_.do_embed(out, ids, table, scale);
  }
  void do_rms_norm(Matrix out, ConstMatrix x, const Norm& norm) override { inner_.do_rms_norm(out, x, norm); }
  void do_linear(Matrix out, ConstMatrix x, const PackedMatrix& w) override { inner_.do_linear(out, x, w); }
  void do_rope(Tensor<float, Tokens, Heads, HeadDim> x, std::span<const std::uint32_t> positions,
               const Rope& rope) override {
    inner_.do_rope(x, positions, rope);
  }
  void do_store_kv(const BatchRows& rows, std::size_t layer, Tensor<const float, Tokens, KvHeads, HeadDim> k,
                   Tensor<const float, Tokens, KvHeads, HeadDim> v) override {
    inner_.do_store_kv(rows, layer, k, v);
  }
  void do_attention(Tensor<float, Tokens, Heads, HeadDim> out, Tensor<const float, Tokens, Heads, HeadDim> q,
                    const BatchRows& rows, std::size_t layer, const AttentionSettings& settings) override {
    inner_.do_attention(out, q, rows, layer, settings);
  }
  void do_gate(Matrix out, ConstMatrix gate, ConstMatrix up, Activation activation) override {
    inner_.do_gate(out, gate, up, activation);
  }
  void do_add(Matrix x, ConstMatrix y) override { inner_.do_add(x, y); }
  void do_take_rows(Matrix out, ConstMatrix x, std::span<const std::size_t> rows) override {
    inner_.do_take_rows(out, x, rows);
  }
  std::unique_ptr<BackendMemory> memory(std::size_t bytes) override { return inner_.memory(bytes); }
  void finish() override { inner_.finish(); }
  void do_checkpoint(const Checkpoint& at, const NamedTensor& x) override { inner_.do_checkpoint(at, x); }
  bool listens() const override { return inner_.listens(); }
  DType cache_type() const override { return inner_.cache_type(); }

 protected:
  Ops& inner_;
};

// Every verb is done when it returns, also where the backend would only record it.
class AtOnceOps : public OpsDecorator {
 public:
  using OpsDecorator::OpsDecorator;

  void do_embed(Matrix out, std::span<const std::int32_t> ids, const PackedMatrix& table, float scale) override {
    inner_.do_embed(out, ids, table, scale);
    inner_.finish();
  }
  void do_rms_norm(Matrix out, ConstMatrix x, const Norm& norm) override {
    inner_.do_rms_norm(out, x, norm);
    inner_.finish();
  }
  void do_linear(Matrix out, ConstMatrix x, const PackedMatrix& w) override {
    inner_.do_linear(out, x, w);
    inner_.finish();
  }
  void do_linear_each(std::span<const LinearTask> tasks, ConstMatrix x) override {
    inner_.do_linear_each(tasks, x);
    inner_.finish();
  }
  void do_rope(Tensor<float, Tokens, Heads, HeadDim> x, std::span<const std::uint32_t> positions,
               const Rope& rope) override {
    inner_.do_rope(x, positions, rope);
    inner_.finish();
  }
  void do_store_kv(const BatchRows& rows, std::size_t layer, Tensor<const float, Tokens, KvHeads, HeadDim> k,
                   Tensor<const float, Tokens, KvHeads, HeadDim> v) override {
    inner_.do_store_kv(rows, layer, k, v);
    inner_.finish();
  }
  void do_attention(Tensor<float, Tokens, Heads, HeadDim> out, Tensor<const float, Tokens, Heads, HeadDim> q,
                    const BatchRows& rows, std::size_t layer, const AttentionSettings& settings) override {
    inner_.do_attention(out, q, rows, layer, settings);
    inner_.finish();
  }
  void do_gate(Matrix out, ConstMatrix gate, ConstMatrix up, Activation activation) override {
    inner_.do_gate(out, gate, up, activation);
    inner_.finish();
  }
  void do_add(Matrix x, ConstMatrix y) override {
    inner_.do_add(x, y);
    inner_.finish();
  }
  void do_take_rows(Matrix out, ConstMatrix x, std::span<const std::size_t> rows) override {
    inner_.do_take_rows(out, x, rows);
    inner_.finish();
  }
};

// For heirs that look at values between two verbs, or write some, or measure how long a verb takes. (A base of its own
// holds the inner decorator, so that it is there before OpsDecorator gets it.)
struct HasAtOnce {
  AtOnceOps at_once;
};
class LookingOps : private HasAtOnce, public OpsDecorator {
 protected:
  explicit LookingOps(Ops& inner) : HasAtOnce{AtOnceOps(inner)}, OpsDecorator(static_cast<Ops&>(at_once)) {}
};

}  // namespace rung
