// The verbs of a forward pass: what a backend must be able to do.  Milestone M2.
//
// The model calls the typed verbs: ops.linear(q, x, layer.q, at("q")). Each checks its shapes, drops the axes, calls
// the virtual do_… of the backend, and then hands the result, under its checkpoint's name, to do_checkpoint: nothing in
// a backend, everything in TracedOps. A decorator is an Ops around an Ops (decorator.h). Outputs come first. No verb
// allocates what outlives it.
//
// A backend may do a verb at once, as a processor does, or write down what is to be done, as for a GPU:
//
//   memory()                  where the tensors lie; of what they hold the host knows nothing …
//   embed, rms_norm, linear, …  recorded, in order, or done
//   finish()                  … until here: all of it is done, and the host may read
//
// What a verb takes beside tensors (ids, positions, rows, a Norm, a Rope) it has read when it returns. Who reads or
// writes a tensor between two verbs, as a decorator may, calls finish() before (LookingOps).
#pragma once

#include <algorithm>
#include <array>
#include <cstddef>
#include <cstdint>
#include <memory>
#include <span>
#include <string>
#include <vector>

#include "ops/kv_cache.h"
#include "tensor/tensor.h"
#include "tensor/weight.h"

namespace rung {

// A batch's rows as attention sees them: each is one token of some sequence. Rows of one sequence stand in the order of
// their positions.
struct BatchRows {
  std::span<const std::uint32_t> positions;  // [T]
  std::span<KvCache* const> caches;          // [T]: the cache of the row's sequence
  std::size_t size() const { return positions.size(); }
};

// How far each pair of a head's values turns per position.
struct Rope {
  std::vector<float> inverse_frequencies;  // [head_dim / 2], every scaling scheme already in it
  float magnitude = 1.0f;                  // times cosine and sine (YaRN's attention factor)
};

struct AttentionSettings {
  float scale = 1.0f;             // times q·k
  std::size_t window_tokens = 0;  // how many positions back a token sees, itself included; 0: all
};

enum class Activation { silu, gelu_tanh };

struct Norm {
  std::string name;
  std::vector<float> weight;
  float epsilon = 0;
};

// The name of an intermediate tensor: "embedding", "layer.3.q_rope", "logits".
struct Checkpoint {
  const char* name;
  int layer = -1;
  std::string text() const;
};

// A tensor whose axes are values, for listeners.
struct NamedTensor {
  std::span<const float> values;
  std::vector<std::size_t> shape;
  std::vector<const char*> axes;
};

// Whether axes, side by side, are another way to spell one axis: heads and head_dim together are query_dim.
template <class Axis, class... Axes>
inline constexpr bool spelled_as = false;
template <class Axis>
inline constexpr bool spelled_as<Axis, Axis> = true;
template <>
inline constexpr bool spelled_as<QueryDim, Heads, HeadDim> = true;
template <>
inline constexpr bool spelled_as<KvDim, KvHeads, HeadDim> = true;

struct Rows {};
struct Columns {};
using Matrix = Tensor<float, Rows, Columns>;
using ConstMatrix = Tensor<const float, Rows, Columns>;

// One of several linear layers of the same x: out = x·w.
template <class Out, class In, class... OutAxes>
struct LinearOf {
  Tensor<float, Tokens, OutAxes...> out;
  const Weight<Out, In>& w;
  Checkpoint at;
};
template <class Out, class In, class... OutAxes>
LinearOf(Tensor<float, Tokens, OutAxes...>, const Weight<Out, In>&, Checkpoint) -> LinearOf<Out, In, OutAxes...>;

// The same for a backend.
struct LinearTask {
  Matrix out;
  const PackedMatrix* w;
};

class Ops {
 public:
  virtual ~Ops() = default;
  Ops() = default;
  Ops(const Ops&) = delete;
  Ops& operator=(const Ops&) = delete;

  // out[t] = table[ids[t]]·scale.  ids < vocabulary: whoever makes the batch has checked.
  void embed(Tensor<float, Tokens, Hidden> out, std::span<const std::int32_t> ids, const Weight<Vocab, Hidden>& table,
             float scale, Checkpoint at) {
    check_shapes(out.extent<Tokens>() == ids.size() && out.extent<Hidden>() == table.matrix.columns, "embed", at);
    do_embed(rows_of(out), ids, table.matrix, scale);
    report(at, out);
  }

  // Along the last axis: out = x / √(mean(x²) + epsilon) · weight.  out may be x.
  template <class... Axes>
  void rms_norm(Tensor<float, Axes...> out, Tensor<float, Axes...> x, const Norm& norm, Checkpoint at) {
    check_shapes(out.extents() == x.extents() && out.extents().back() == norm.weight.size(), "rms_norm", at);
    do_rms_norm(rows_of(out), rows_of(x), norm);
    report(at, out);
  }

  // out[t,o] = Σ_i x[t,i]·w[o,i] (+ bias[o]).  f32 accumulation over i in one fixed order.  out must not alias x.
  template <class Out, class In, class... OutAxes, class... InAxes>
    requires(spelled_as<Out, OutAxes...> && spelled_as<In, InAxes...>)
  void linear(Tensor<float, Tokens, OutAxes...> out, Tensor<float, Tokens, InAxes...> x, const Weight<Out, In>& w,
              Checkpoint at) {
    const LinearTask task = linear_task(out, x, w, at);
    do_linear(task.out, {x.data(), {x.template extent<Tokens>(), w.matrix.columns}}, w.matrix);
    report(at, out);
  }

  // Several linear layers of one x, as q, k and v: what one after the other would give, at less cost.
  template <class In, class... Layers>
  void linear_each(Tensor<float, Tokens, In> x, const Layers&... layers) {  // each a LinearOf
    const LinearTask tasks[] = {linear_task(layers.out, x, layers.w, layers.at)...};
    do_linear_each(tasks, {x.data(), {x.template extent<Tokens>(), x.template extent<In>()}});
    (report(layers.at, layers.out), ...);
  }

  // Turns each head of x, in place, by its row's position. The pairs are (i, i + head_dim/2).
  template <class AnyHeads>
  void rope(Tensor<float, Tokens, AnyHeads, HeadDim> x, std::span<const std::uint32_t> positions, const Rope& rope,
            Checkpoint at) {
    check_shapes(x.template extent<Tokens>() == positions.size() &&
                     x.template extent<HeadDim>() == 2 * rope.inverse_frequencies.size(),
                 "rope", at);
    do_rope({x.data(), {x.template extent<Tokens>(), x.template extent<AnyHeads>(), x.template extent<HeadDim>()}},
            positions, rope);
    report(at, x);
  }

  // Keeps k and v of every row in the row's cache, rounded to the cache's type.
  void store_kv(const BatchRows& rows, std::size_t layer, Tensor<float, Tokens, KvHeads, HeadDim> k,
                Tensor<float, Tokens, KvHeads, HeadDim> v) {
    check_shapes(k.extents() == v.extents() && k.extent<Tokens>() == rows.size(), "store_kv",
                 {"kv", static_cast<int>(layer)});
    do_store_kv(rows, layer, k, v);
  }

  // out[t,h] = Σ_j softmax_j(scale·q[t,h]·k[j,g])·v[j,g], over the kept positions j ≤ t's own inside its window, g =
  // h·kv_heads / heads. (Vaswani et al. 2017, arXiv:1706.03762; grouped queries: Ainslie et al. 2023, arXiv:2305.13245)
  void attention(Tensor<float, Tokens, Heads, HeadDim> out, Tensor<float, Tokens, Heads, HeadDim> q,
                 const BatchRows& rows, std::size_t layer, const AttentionSettings& settings, Checkpoint at) {
    check_shapes(out.extents() == q.extents() && q.extent<Tokens>() == rows.size(), "attention", at);
    do_attention(out, q, rows, layer, settings);
    report(at, Tensor<float, Tokens, QueryDim>(out.data(),
                                               {out.extent<Tokens>(), out.extent<Heads>() * out.extent<HeadDim>()}));
  }

  // out = activation(gate)·up, element by element.  out may be gate.
  void gate(Tensor<float, Tokens, Intermediate> out, Tensor<float, Tokens, Intermediate> gate,
            Tensor<float, Tokens, Intermediate> up, Activation activation, Checkpoint at) {
    check_shapes(out.extents() == gate.extents() && gate.extents() == up.extents(), "gate", at);
    do_gate(rows_of(out), rows_of(gate), rows_of(up), activation);
    report(at, out);
  }

  // x += y
  void add(Tensor<float, Tokens, Hidden> x, Tensor<float, Tokens, Hidden> y, Checkpoint at) {
    check_shapes(x.extents() == y.extents(), "add", at);
    do_add(rows_of(x), rows_of(y));
    report(at, x);
  }

  // out[r] = x[rows[r]].  out must not alias x.
  void take_rows(Tensor<float, Tokens, Hidden> out, Tensor<float, Tokens, Hidden> x, std::span<const std::size_t> rows,
                 Checkpoint at) {
    check_shapes(out.extent<Tokens>() == rows.size() && out.extent<Hidden>() == x.extent<Hidden>(), "take_rows", at);
    do_take_rows(rows_of(out), rows_of(x), rows);
  }

  // Memory for tensors, zeroed; nothing where any memory will do. This outlives it. Throws Error: there is none left.
  virtual std::unique_ptr<BackendMemory> memory(std::size_t) { return nullptr; }
  // Everything that was asked for is done. Throws Error: it went wrong.
  virtual void finish() {}

  // What a backend does. Shapes are right.
  virtual void do_embed(Matrix out, std::span<const std::int32_t> ids, const PackedMatrix& table, float scale) = 0;
  virtual void do_rms_norm(Matrix out, ConstMatrix x, const Norm& norm) = 0;
  virtual void do_linear(Matrix out, ConstMatrix x, const PackedMatrix& w) = 0;
  virtual void do_linear_each(std::span<const LinearTask> tasks, ConstMatrix x) {
    for (const LinearTask& task : tasks) do_linear(task.out, x, *task.w);
  }
  virtual void do_rope(Tensor<float, Tokens, Heads, HeadDim> x, std::span<const std::uint32_t> positions,
                       const Rope& rope) = 0;
  virtual void do_store_kv(const BatchRows& rows, std::size_t layer, Tensor<const float, Tokens, KvHeads, HeadDim> k,
                           Tensor<const float, Tokens, KvHeads, HeadDim> v) = 0;
  virtual void do_attention(Tensor<float, Tokens, Heads, HeadDim> out, Tensor<const float, Tokens, Heads, HeadDim> q,
                            const BatchRows& rows, std::size_t layer, const AttentionSettings& settings) = 0;
  virtual void do_gate(Matrix out, ConstMatrix gate, ConstMatrix up, Activation activation) = 0;
  virtual void do_add(Matrix x, ConstMatrix y) = 0;
  virtual void do_take_rows(Matrix out, ConstMatrix x, std::span<const std::size_t> rows) {
    for (std::size_t r = 0; r < rows.size(); ++r) std::copy_n(x[rows[r]].data(), x.extent<Columns>(), out[r].data());
  }
  virtual void do_checkpoint(const Checkpoint&, const NamedTensor&) {}
  virtual bool listens() const { return false; }  // whether do_checkpoint is worth calling
  // What a KV cache should hold where nobody asks for another type.
  virtual DType cache_type() const { return cache_type_; }
  void set_cache_type(DType type) { cache_type_ = type; }

 private:
  DType cache_type_ = DType::f32;

  // The last axis stays, the others become rows.
  template <class T, class... Axes>
  static Tensor<T, Rows, Columns> rows_of(Tensor<T, Axes...> x) {
    const std::size_t columns = x.extents().back();
    return {x.data(), {columns == 0 ? 0 : x.size() / columns, columns}};
  }

  template <class Out, class In, class... OutAxes, class... InAxes>
  static LinearTask linear_task(Tensor<float, Tokens, OutAxes...> out, Tensor<float, Tokens, InAxes...> x,
                                const Weight<Out, In>& w, const Checkpoint& at) {
    const std::size_t tokens = x.template extent<Tokens>();
    check_shapes(out.template extent<Tokens>() == tokens && out.size() == tokens * w.matrix.rows &&
                     x.size() == tokens * w.matrix.columns,
                 "linear", at);
    return {{out.data(), {tokens, w.matrix.rows}}, &w.matrix};
  }

  template <class... Axes>
  void report(const Checkpoint& at, Tensor<float, Axes...> x) {
    if (!listens()) return;
    finish();
    do_checkpoint(at, {x.span(), {x.extents().begin(), x.extents().end()}, {Axes::name...}});
  }

  // A wrong shape here is a bug of ours: what a file can get wrong was refused when the model was loaded.
  static void check_shapes(bool shapes_fit, const char* verb, const Checkpoint& at);
};

}  // namespace rung
