// A pass → how long each of its verbs takes: a clock around every one.  Milestone M6.
#pragma once

#include <array>
#include <cstddef>
#include <string_view>

#include "base/clock.h"
#include "ops/decorator.h"

namespace rung {

// Seconds by verb, as the thread that calls them sees them: what it waits for others is in it.
struct PassTimes {
  enum Verb : std::size_t { embed, rms_norm, linear, rope, store_kv, attention, gate, add };
  static constexpr std::array<std::string_view, 8> kNames{"embed",    "rms_norm",  "linear", "rope",
                                                          "store_kv", "attention", "gate",   "add"};
  std::array<double, kNames.size()> seconds{};
};

class TimedOps : public LookingOps {
 public:
  explicit TimedOps(Ops& inner) : LookingOps(inner) {}
  const PassTimes& times() const { return times_; }
  void restart() { times_ = {}; }

  void do_embed(Matrix out, std::span<const std::int32_t> ids, const PackedMatrix& table, float scale) override {
    const Stopwatch watch(times_, PassTimes::embed);
    inner_.do_embed(out, ids, table, scale);
  }
  void do_rms_norm(Matrix out, ConstMatrix x, const Norm& norm) override {
    const Stopwatch watch(times_, PassTimes::rms_norm);
    inner_.do_rms_norm(out, x, norm);
  }
  void do_linear(Matrix out, ConstMatrix x, const PackedMatrix& w) override {
    const Stopwatch watch(times_, PassTimes::linear);
    inner_.do_linear(out, x, w);
  }
  void do_linear_each(std::span<const LinearTask> tasks, ConstMatrix x) override {
    const Stopwatch watch(times_, PassTimes::linear);
    inner_.do_linear_each(tasks, x);
  }
  void do_rope(Tensor<float, Tokens, Heads, HeadDim> x, std::span<const std::uint32_t> positions,
               const Rope& rope) override {
    const Stopwatch watch(times_, PassTimes::rope);
    inner_.do_rope(x, positions, rope);
  }
  void do_store_kv(const BatchRows& rows, std::size_t layer, Tensor<const float, Tokens, KvHeads, HeadDim> k,
                   Tensor<const float, Tokens, KvHeads, HeadDim> v) override {
    const Stopwatch watch(times_, PassTimes::store_kv);
    inner_.do_store_kv(rows, layer, k, v);
  }
  void do_attention(Tensor<float, Tokens, Heads, HeadDim> out, Tensor<const float, Tokens, Heads, HeadDim> q,
                    const BatchRows& rows, std::size_t layer, const AttentionSettings& settings) override {
    const Stopwatch watch(times_, PassTimes::attention);
    inner_.do_attention(out, q, rows, layer, settings);
  }
  void do_gate(Matrix out, ConstMatrix gate, ConstMatrix up, Activation activation) override {
    const Stopwatch watch(times_, PassTimes::gate);
    inner_.do_gate(out, gate, up, activation);
  }
  void do_add(Matrix x, ConstMatrix y) override {
    const Stopwatch watch(times_, PassTimes::add);
    inner_.do_add(x, y);
  }

 private:
  // Adds what passes between its birth and its end.
  class Stopwatch {
   public:
    Stopwatch(PassTimes& times, PassTimes::Verb verb) : sum_(times.seconds[verb]) {}
    ~Stopwatch() { sum_ += seconds_since(start_); }
    Stopwatch(const Stopwatch&) = delete;
    Stopwatch& operator=(const Stopwatch&) = delete;

   private:
    double& sum_;
    const Clock::time_point start_ = Clock::now();
  };

  PassTimes times_;
};

}  // namespace rung
