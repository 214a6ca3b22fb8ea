// Which steps become one kernel.  Milestone M7.
//
//   rms_norm · linear × 1 to 3                    q, k and v; the norm inside where there are one or two tokens
//   rms_norm × 0 to 2 · rope · rope · store_kv    what comes after, head by head
//   rms_norm · linear × 2 · gate                  gate and up with their activation; the norm as above
//   linear · add                                  a product into the residual stream
//   rms_norm · add                                the same where a norm stands between
//
// A dispatch costs a GPU some microseconds, of which a small model's token has few. The bits are those of the verbs one
// by one, and so is what lies in memory after. Threadgroups of a kernel run in any order: so what some of it reads,
// none of it may write (`apart`), where the verbs one by one might. Under a decorator that looks at values each verb is
// finished at once, and stands alone here.
#include <array>

#include "ops/metal/grids.h"
#include "ops/metal/metal.h"

namespace rung {

using metal::in_32_bits;
using metal::Kernel;
using metal::Place;
using metal::thread_a_value;

namespace {

struct Region {
  const float* begin;
  std::size_t count;
};
Region region_of(ConstMatrix m) { return {m.data(), m.size()}; }
Region region_of(const float* out, const gpu::LinearArgs& args) {
  return {out, std::size_t{args.tokens} * args.out_stride};
}
bool apart(Region a, Region b) {
  const auto at = [](const float* p) { return reinterpret_cast<std::uintptr_t>(p); };
  return at(a.begin + a.count) <= at(b.begin) || at(b.begin + b.count) <= at(a.begin);
}
bool same_place(Place a, Place b) { return a.buffer == b.buffer && a.offset == b.offset; }

// Whether a layer makes all of `result`, and that alone.
bool makes(const gpu::LinearArgs& args, const float* out, ConstMatrix result) {
  return out == result.data() && args.rows == args.out_stride && result.extent<Columns>() == args.rows &&
         result.extent<Rows>() == args.tokens;
}

}  // namespace

void MetalOps::record() {
  struct Forget {  // also what an error leaves unrecorded
    std::vector<Step>& steps;
    ~Forget() { steps.clear(); }
  } const forget{steps_};
  for (std::size_t i = 0; i < steps_.size();) {
    std::size_t taken = record_heads(i);
    if (taken == 0) taken = record_products(i);
    if (taken == 0) taken = record_norm_and_sum(i);
    if (taken == 0) {
      record_alone(steps_[i]);
      taken = 1;
    }
    i += taken;
  }
}

std::size_t MetalOps::record_heads(std::size_t first) {
  std::size_t i = first;
  std::array<const NormStep*, 2> norms{step<NormStep>(i), nullptr};
  if (norms[0] != nullptr) norms[1] = step<NormStep>(++i);
  if (norms[1] != nullptr) ++i;
  const RopeStep *const q = step<RopeStep>(i), *const k = step<RopeStep>(i + 1);
  const StoreStep* const store = step<StoreStep>(i + 2);
  if (q == nullptr || k == nullptr || store == nullptr) return 0;

  const std::size_t tokens = store->tokens, head_dim = store->args.head_dim, kv_heads = store->args.kv_heads;
  const auto fits = [&](const RopeStep& rope, std::size_t heads) {
    return rope.args.tokens == tokens && rope.args.heads == heads && 2 * std::size_t{rope.args.half_dim} == head_dim;
  };
  if (!fits(*q, q->args.heads) || !fits(*k, kv_heads) || k->x != store->k || !same_place(q->turns, k->turns)) return 0;
  const Region of_q{q->x, tokens * q->args.heads * head_dim}, of_k{k->x, tokens * kv_heads * head_dim},
      of_v{store->v, of_k.count};
  if (!apart(of_q, of_k) || !apart(of_q, of_v) || !apart(of_k, of_v)) return 0;

  gpu::HeadsArgs args{q->args.heads, 0, 0, 0, 0, store->args};
  Place q_weight = place(q->x), k_weight = place(k->x);  // something must be bound
  for (const NormStep* norm : norms) {
    if (norm == nullptr) continue;
    const bool is_q = norm->out.data() == q->x;
    const Region whole = is_q ? of_q : of_k;
    if (norm->out.data() != whole.begin || norm->x.data() != whole.begin || norm->out.size() != whole.count ||
        norm->out.extent<Columns>() != head_dim) {
      return 0;
    }
    (is_q ? args.has_q_norm : args.has_k_norm) += 1;
    (is_q ? args.q_epsilon : args.k_epsilon) = norm->epsilon;
    (is_q ? q_weight : k_weight) = norm->weight;
  }
  if (args.has_q_norm > 1 || args.has_k_norm > 1) return 0;
  dispatch(Kernel::heads, static_cast<std::uint32_t>(store->cache), args,
           {place(q->x), place(k->x), place(store->v), q_weight, k_weight, q->turns, store->positions, store->blocks},
           {{q->args.heads + 2 * kv_heads, tokens, 1}, gpu::norm_threads(store->args.head_dim)});
  return i + 3 - first;
}

// The norm's x is read by all threadgroups, and its result written by one.
bool MetalOps::norm_joins(const NormStep& norm, std::span<const LinearStep* const> layers) const {
  const LinearStep& any = *layers.front();
  if (norm.out.data() != any.x || norm.out.extent<Rows>() != any.args.tokens ||
      norm.out.extent<Columns>() != any.args.columns || any.args.tokens > gpu::kNormTokens) {
    return false;
  }
  return apart(region_of(norm.out), region_of(norm.x)) &&
         std::all_of(layers.begin(), layers.end(), [&](const LinearStep* layer) {
           return layer->args.rows <= gpu::kMostNormRows &&
                  apart(region_of(layer->out, layer->args), region_of(norm.x));
         });
}

// Linear layers of one linear_each, as many as one kernel takes, with what stands before and after them.
std::size_t MetalOps::record_products(std::size_t first) {
  const NormStep* norm = step<NormStep>(first);
  std::size_t end = norm != nullptr ? first + 1 : first;
  std::array<const LinearStep*, gpu::kMostTasks> found{};
  std::size_t count = 0;
  for (DType other{}; count < found.size(); ++end) {
    const LinearStep* const next = step<LinearStep>(end);
    if (next == nullptr || (count > 0 && !next->goes_on)) break;
    if (count > 0 && next->type != found[0]->type) {
      const bool is_second = std::all_of(&found[0], &found[count], [&](auto* f) { return f->type == found[0]->type; });
      if (!is_second && next->type != other) break;
      other = next->type;
    }
    found[count++] = next;
  }
  if (count == 0) return 0;
  const std::span<const LinearStep* const> layers(found.data(), count);
  if (norm != nullptr && !norm_joins(*norm, layers)) return 0;

  const GateStep* const gate = step<GateStep>(end);
  if (gate != nullptr && count == 2 && layers[0]->type == layers[1]->type && gate->out.data() == gate->gate.data()) {
    const auto plain = [](const gpu::LinearArgs& args) { return args.has_bias == 0 && args.neighbours_head_dim == 0; };
    const LinearStep &g = *layers[0], &u = *layers[1];
    if (makes(g.args, g.out, gate->gate) && makes(u.args, u.out, gate->up) && plain(g.args) && plain(u.args)) {
      record_gated(g, u, gate->activation, norm);
      return end + 1 - first;
    }
  }
  const AddStep* const add = step<AddStep>(end);
  if (add != nullptr && count == 1 && makes(layers[0]->args, layers[0]->out, add->y)) {
    const Region sum = region_of(add->x);
    const Region x{layers[0]->x, std::size_t{layers[0]->args.tokens} * layers[0]->args.columns};
    if (apart(sum, region_of(add->y)) && apart(sum, x) && (norm == nullptr || apart(sum, region_of(norm->x)))) {
      record_linear(layers, norm, add->x.data());
      return end + 1 - first;
    }
  }
  record_linear(layers, norm, nullptr);
  return end - first;
}

std::size_t MetalOps::record_norm_and_sum(std::size_t first) {
  const NormStep* const norm = step<NormStep>(first);
  const AddStep* const add = step<AddStep>(first + 1);
  if (norm == nullptr || add == nullptr || norm->out.data() != add->y.data() || norm->out.size() != add->y.size() ||
      !apart(region_of(add->x), region_of(norm->out)) || !apart(region_of(add->x), region_of(norm->x))) {
    return 0;
  }
  record_norm(*norm, add->x.data());
  return 2;
}

void MetalOps::record_norm(const NormStep& norm, const float* residual) {
  const std::uint32_t columns = in_32_bits(norm.x.extent<Columns>());
  const Place out = place(norm.out.data());
  dispatch(Kernel::rms_norm, 0, gpu::NormArgs{columns, norm.epsilon, residual != nullptr ? 1u : 0u},
           {out, place(norm.x.data()), norm.weight, residual != nullptr ? place(residual) : out},
           {{norm.x.extent<Rows>(), 1, 1}, gpu::norm_threads(columns)});
}

void MetalOps::record_alone(const Step& any) {
  if (const auto* const norm = std::get_if<NormStep>(&any)) {
    record_norm(*norm, nullptr);
  } else if (const auto* const rope = std::get_if<RopeStep>(&any)) {
    dispatch(Kernel::rope, 0, rope->args, {place(rope->x), rope->turns},
             thread_a_value(std::size_t{rope->args.tokens} * rope->args.heads * rope->args.half_dim));
  } else if (const auto* const store = std::get_if<StoreStep>(&any)) {
    dispatch(Kernel::store_kv, static_cast<std::uint32_t>(store->cache), store->args,
             {place(store->k), place(store->v), store->positions, store->blocks},
             {{2 * store->args.kv_heads, store->tokens, 1}, gpu::kSimd});
  } else if (const auto* const gate = std::get_if<GateStep>(&any)) {
    const gpu::ElementArgs args{in_32_bits(gate->gate.size()), gate->activation == Activation::silu ? 0u : 1u};
    dispatch(Kernel::gate, 0, args, {place(gate->out.data()), place(gate->gate.data()), place(gate->up.data())},
             thread_a_value(args.count));
  } else if (const auto* const add = std::get_if<AddStep>(&any)) {
    const gpu::ElementArgs args{in_32_bits(add->x.size()), 0};
    dispatch(Kernel::add, 0, args, {place(add->x.data()), place(add->y.data())}, thread_a_value(args.count));
  } else if (const auto* const kernel = std::get_if<KernelStep>(&any)) {
    gpu_.dispatch(kernel->kernel, kernel->constant, std::span(kernel->args).first(kernel->args_bytes),
                  std::span(kernel->places).first(kernel->places_count), kernel->grid);
    gpu_.add_work(kernel->work);
  }
}

}  // namespace rung
