// A backend that does nothing until it has to: each verb is written down, and the reference does them all in finish().
// Its memory is its own, and every tensor must lie in it. So a GPU's backend looks from outside.
#pragma once

#include <functional>
#include <memory>
#include <stdexcept>
#include <utility>
#include <vector>

#include "ops/ops.h"

namespace rung {

class RecordingOps : public Ops {
 public:
  explicit RecordingOps(Ops& reference) : reference_(reference) {}
  ~RecordingOps() override = default;

  std::size_t finishes() const { return finishes_; }  // that had something to do
  std::size_t pieces() const { return pieces_.size(); }

  std::unique_ptr<BackendMemory> memory(std::size_t bytes) override { return std::make_unique<Piece>(*this, bytes); }

  void finish() override {
    if (!recorded_.empty()) ++finishes_;
    const auto verbs = std::exchange(recorded_, {});
    for (const auto& verb : verbs) verb();
  }

  void do_embed(Matrix out, std::span<const std::int32_t> ids, const PackedMatrix& table, float scale) override {
    record(out, [=, this, ids = copy(ids), &table] { reference_.do_embed(out, ids, table, scale); });
  }
  void do_rms_norm(Matrix out, ConstMatrix x, const Norm& norm) override {
    check(x);
    record(out, [=, this] { reference_.do_rms_norm(out, x, norm); });
  }
  void do_linear(Matrix out, ConstMatrix x, const PackedMatrix& w) override {
    check(x);
    record(out, [=, this, &w] { reference_.do_linear(out, x, w); });
  }
  void do_rope(Tensor<float, Tokens, Heads, HeadDim> x, std::span<const std::uint32_t> positions,
               const Rope& rope) override {
    record(x, [=, this, positions = copy(positions)] { reference_.do_rope(x, positions, rope); });
  }
  void do_store_kv(const BatchRows& rows, std::size_t layer, Tensor<const float, Tokens, KvHeads, HeadDim> k,
                   Tensor<const float, Tokens, KvHeads, HeadDim> v) override {
    check(k);
    record(v, [=, this, positions = copy(rows.positions), caches = copy(rows.caches)] {
      reference_.do_store_kv({positions, caches}, layer, k, v);
    });
  }
  void do_attention(Tensor<float, Tokens, Heads, HeadDim> out, Tensor<const float, Tokens, Heads, HeadDim> q,
                    const BatchRows& rows, std::size_t layer, const AttentionSettings& settings) override {
    check(q);
    record(out, [=, this, positions = copy(rows.positions), caches = copy(rows.caches)] {
      reference_.do_attention(out, q, {positions, caches}, layer, settings);
    });
  }
  void do_gate(Matrix out, ConstMatrix gate, ConstMatrix up, Activation activation) override {
    check(gate);
    check(up);
    record(out, [=, this] { reference_.do_gate(out, gate, up, activation); });
  }
  void do_add(Matrix x, ConstMatrix y) override {
    check(y);
    record(x, [=, this] { reference_.do_add(x, y); });
  }
  void do_take_rows(Matrix out, ConstMatrix x, std::span<const std::size_t> rows) override {
    check(x);
    record(out, [=, this, rows = copy(rows)] { reference_.do_take_rows(out, x, rows); });
  }

 private:
  class Piece : public BackendMemory {
   public:
    Piece(RecordingOps& ops, std::size_t bytes) : ops_(ops), memory_(bytes) { ops_.pieces_.push_back(this); }
    ~Piece() override {
      // What is recorded may still want this memory.
      EXPECT_TRUE(ops_.recorded_.empty());
      std::erase(ops_.pieces_, this);
    }
    std::byte* data() const override { return memory_.data(); }
    bool holds(const std::byte* begin, std::size_t bytes) const {
      return begin >= data() && begin + bytes <= data() + memory_.size();
    }

   private:
    RecordingOps& ops_;
    Buffer<std::byte> memory_;
  };

  template <class T>
  static std::vector<T> copy(std::span<T> values) {
    return {values.begin(), values.end()};
  }
  template <class T>
  static std::vector<T> copy(std::span<const T> values) {
    return {values.begin(), values.end()};
  }

  template <class T, class... Axes>
  void check(Tensor<T, Axes...> x) const {
    const auto* const begin = reinterpret_cast<const std::byte*>(x.data());
    for (const Piece* piece : pieces_) {
      if (piece->holds(begin, x.size() * sizeof(T))) return;
    }
    throw std::logic_error("a tensor that does not lie in the backend's memory");
  }
  template <class Out>
  void record(Out out, std::function<void()> verb) {
    check(out);
    recorded_.push_back(std::move(verb));
  }

  Ops& reference_;
  std::vector<std::function<void()>> recorded_;
  std::vector<Piece*> pieces_;
  std::size_t finishes_ = 0;
};

}  // namespace rung
