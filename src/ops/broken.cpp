#include "ops/broken.h"

#include <algorithm>
#include <array>
#include <cctype>
#include <cmath>

#include "tensor/blocks.h"

namespace rung {

std::span<const MistakeInfo> mistakes() {
  static constexpr std::array<MistakeInfo, 33> kMistakes{{
      {Mistake::norm_sum, "norm-sum", "RMSNorm divides by √Σx² instead of √mean(x²)", "m2-forward-pass#rmsnorm"},
      {Mistake::norm_centred, "norm-centred", "RMSNorm takes the mean away first, as LayerNorm does",
       "m2-forward-pass#rmsnorm"},
      {Mistake::norm_all_tokens, "norm-all-tokens", "RMSNorm takes one mean over all tokens instead of one a token",
       "m2-forward-pass#rmsnorm"},
      {Mistake::norm_weight, "norm-weight", "RMSNorm forgets its weight", "m2-forward-pass#rmsnorm"},
      {Mistake::norm_epsilon, "norm-epsilon", "RMSNorm adds 1e-2 instead of the model's epsilon",
       "m2-forward-pass#rmsnorm"},
      {Mistake::missing_qk_norm, "missing-qk-norm", "q and k are not normalised", "m2-forward-pass#attention"},
      {Mistake::missing_final_norm, "missing-final-norm", "the last norm, before the logits, is left out",
       "m2-forward-pass#logits"},
      {Mistake::linear_transposed, "linear-transposed", "a weight [out, in] is read as if it lay as [in, out]",
       "m2-forward-pass#linear"},
      {Mistake::rope_missing, "rope-missing", "RoPE turns nothing", "m2-forward-pass#rope"},
      {Mistake::rope_pairing, "rope-pairing",
       "RoPE turns neighbours (2i, 2i+1) instead of the halves (i, i + head_dim/2)", "m2-forward-pass#rope"},
      {Mistake::rope_backwards, "rope-backwards", "RoPE turns the other way: the sine has the wrong sign",
       "m2-forward-pass#rope"},
      {Mistake::rope_in_place, "rope-in-place",
       "RoPE overwrites the first number of a pair before the second one is turned with it", "m2-forward-pass#rope"},
      {Mistake::rope_position, "rope-position", "RoPE counts positions from 1 instead of 0", "m2-forward-pass#rope"},
      {Mistake::rope_frequencies, "rope-frequencies",
       "RoPE's frequencies are theta^(-i/head_dim) instead of theta^(-2i/head_dim)", "m2-forward-pass#rope"},
      {Mistake::rope_queries_only, "rope-queries-only", "RoPE turns q and forgets k", "m2-forward-pass#rope"},
      {Mistake::cache_position, "cache-position", "keys and values are kept one position too late",
       "m4-kv-cache#the-code"},
      {Mistake::keys_values_swapped, "keys-values-swapped", "keys are kept as values and values as keys",
       "m4-kv-cache#the-code"},
      {Mistake::query_scale, "query-scale", "attention scores are not scaled by 1/√head_dim",
       "m2-forward-pass#attention"},
      {Mistake::causal_mask, "causal-mask", "a token sees the tokens after it", "m2-forward-pass#attention"},
      {Mistake::mask_one_more, "mask-one-more", "a token sees the one after it: the mask is off by one",
       "m2-forward-pass#attention"},
      {Mistake::mask_one_less, "mask-one-less", "a token does not see itself: the mask is off by one",
       "m2-forward-pass#attention"},
      {Mistake::softmax_axis, "softmax-axis", "softmax runs over the tokens that look, not over those looked at",
       "m2-forward-pass#softmax-without-overflow"},
      {Mistake::gqa_grouping, "gqa-grouping",
       "query head h reads key head h mod kv_heads instead of h·kv_heads / heads",
       "m2-forward-pass#fewer-keys-than-queries"},
      {Mistake::heads_transposed, "heads-transposed",
       "what the heads found is laid out [head_dim, heads] instead of [heads, head_dim]", "m2-forward-pass#attention"},
      {Mistake::gate_up_swapped, "gate-up-swapped", "the activation is applied to up instead of gate",
       "m2-forward-pass#swiglu"},
      {Mistake::activation_missing, "activation-missing", "gate is multiplied by up without an activation",
       "m2-forward-pass#swiglu"},
      {Mistake::activation_sigmoid, "activation-sigmoid", "the gate is sigmoid(x) instead of silu(x) = x·sigmoid(x)",
       "m2-forward-pass#swiglu"},
      {Mistake::activation_other, "activation-other", "GELU stands where the model wants SiLU, or the other way round",
       "m2-forward-pass#swiglu"},
      {Mistake::residual_missing, "residual-missing", "a branch replaces x instead of being added to it",
       "m2-forward-pass#a-block-a-screen"},
      {Mistake::residual_normed, "residual-normed", "a branch is added to norm(x) instead of x",
       "m2-forward-pass#a-block-a-screen"},
      {Mistake::embedding_scale, "embedding-scale", "the embedding is not scaled, where a family wants it so",
       "m2-forward-pass#embedding"},
      {Mistake::linear_bias, "linear-bias", "linear forgets its bias", "m2-forward-pass#linear"},
      {Mistake::window_forgotten, "window-forgotten", "a layer with a sliding window sees everything",
       "m4-kv-cache#windows"},
  }};
  return kMistakes;
}

void BrokenOps::do_embed(Matrix out, std::span<const std::int32_t> ids, const PackedMatrix& table, float scale) {
  inner_.do_embed(out, ids, table, mistake_ == Mistake::embedding_scale ? 1.0f : scale);
}

void BrokenOps::do_rms_norm(Matrix out, ConstMatrix x, const Norm& norm) {
  const bool of_query_or_key =
      norm.name.find("q_norm") != std::string::npos || norm.name.find("k_norm") != std::string::npos;
  const bool of_a_layer = std::any_of(norm.name.begin(), norm.name.end(), [](unsigned char c) {
    return std::isdigit(c) != 0;  // its number
  });
  const bool left_out = (mistake_ == Mistake::missing_qk_norm && of_query_or_key) ||
                        (mistake_ == Mistake::missing_final_norm && !of_a_layer);
  if (left_out) {
    if (out.data() != x.data()) std::copy_n(x.data(), x.size(), out.data());
  } else if (mistake_ == Mistake::norm_epsilon) {
    inner_.do_rms_norm(out, x, {norm.name, norm.weight, 1e-2f});
  } else if (mistake_ == Mistake::norm_weight) {
    inner_.do_rms_norm(out, x, {norm.name, std::vector<float>(norm.weight.size(), 1.0f), norm.epsilon});
  } else if (mistake_ == Mistake::norm_sum || mistake_ == Mistake::norm_centred ||
             mistake_ == Mistake::norm_all_tokens) {
    norm_row_by_row(out, x, norm);
  } else {
    const bool keeps_x = out.data() != x.data();  // the norms of q, k and a branch work in place
    inner_.do_rms_norm(out, x, norm);
    if (mistake_ == Mistake::residual_normed && keeps_x) normed_.assign(out.data(), out.data() + out.size());
  }
}

void BrokenOps::norm_row_by_row(Matrix out, ConstMatrix x, const Norm& norm) const {
  const std::size_t rows = x.extent<Rows>(), columns = x.extent<Columns>();
  double of_all = 0;
  for (const float value : x.span()) of_all += static_cast<double>(value) * static_cast<double>(value);
  for (std::size_t r = 0; r < rows; ++r) {
    double mean = 0, squares = 0;
    for (const float value : x[r].span()) mean += static_cast<double>(value) / static_cast<double>(columns);
    if (mistake_ != Mistake::norm_centred) mean = 0;
    for (const float value : x[r].span()) {
      squares += (static_cast<double>(value) - mean) * (static_cast<double>(value) - mean);
    }
    if (mistake_ != Mistake::norm_sum) squares /= static_cast<double>(columns);
    if (mistake_ == Mistake::norm_all_tokens) squares = of_all / static_cast<double>(rows * columns);
    const double root = std::sqrt(squares + static_cast<double>(norm.epsilon));
    for (std::size_t i = 0; i < columns; ++i) {
      out[r][i] = static_cast<float>((static_cast<double>(x[r][i]) - mean) / root) * norm.weight[i];
    }
  }
}

void BrokenOps::do_linear(Matrix out, ConstMatrix x, const PackedMatrix& w) {
  if (mistake_ == Mistake::linear_bias && !w.bias.empty()) {
    PackedMatrix without = w;
    without.bias.clear();
    inner_.do_linear(out, x, without);
  } else if (mistake_ == Mistake::linear_transposed) {
    std::vector<float> flat(w.rows * w.columns);
    for (std::size_t r = 0; r < w.rows; ++r) decode_row({&flat[r * w.columns], w.columns}, w.dtype, w.row(r));
    for (std::size_t t = 0; t < x.extent<Rows>(); ++t) {
      for (std::size_t o = 0; o < w.rows; ++o) out[t][o] = w.bias.empty() ? 0.0f : w.bias[o];
      for (std::size_t i = 0; i < w.columns; ++i) {
        for (std::size_t o = 0; o < w.rows; ++o) out[t][o] += x[t][i] * flat[i * w.rows + o];
      }
    }
  } else {
    inner_.do_linear(out, x, w);
  }
}

void BrokenOps::do_rope(Tensor<float, Tokens, Heads, HeadDim> x, std::span<const std::uint32_t> positions,
                        const Rope& rope) {
  const bool of_keys = keys_are_next_;
  keys_are_next_ = !keys_are_next_;
  Rope other = rope;
  switch (mistake_) {
    case Mistake::rope_missing: return;
    case Mistake::rope_queries_only:
      if (!of_keys) inner_.do_rope(x, positions, rope);
      return;
    case Mistake::rope_backwards:
      for (float& f : other.inverse_frequencies) f = -f;
      return inner_.do_rope(x, positions, other);
    case Mistake::rope_frequencies:
      for (float& f : other.inverse_frequencies) f = std::sqrt(f);
      return inner_.do_rope(x, positions, other);
    case Mistake::rope_position: {
      std::vector<std::uint32_t> from_one(positions.begin(), positions.end());
      for (std::uint32_t& p : from_one) ++p;
      return inner_.do_rope(x, from_one, rope);
    }
    case Mistake::rope_pairing:
    case Mistake::rope_in_place: return turn_wrongly(x, positions, rope);
    default: return inner_.do_rope(x, positions, rope);
  }
}

void BrokenOps::turn_wrongly(Tensor<float, Tokens, Heads, HeadDim> x, std::span<const std::uint32_t> positions,
                             const Rope& rope) const {
  const std::size_t half = rope.inverse_frequencies.size();
  const bool neighbours = mistake_ == Mistake::rope_pairing;
  for (std::size_t t = 0; t < positions.size(); ++t) {
    for (std::size_t h = 0; h < x.extent<Heads>(); ++h) {
      for (std::size_t i = 0; i < half; ++i) {
        const float angle = static_cast<float>(positions[t]) * rope.inverse_frequencies[i];
        const float cosine = std::cos(angle) * rope.magnitude, sine = std::sin(angle) * rope.magnitude;
        float& first = x[t][h][neighbours ? 2 * i : i];
        float& second = x[t][h][neighbours ? 2 * i + 1 : i + half];
        const float before = first;
        first = first * cosine - second * sine;
        second = second * cosine + (neighbours ? before : first) * sine;
      }
    }
  }
}

void BrokenOps::do_store_kv(const BatchRows& rows, std::size_t layer, Tensor<const float, Tokens, KvHeads, HeadDim> k,
                            Tensor<const float, Tokens, KvHeads, HeadDim> v) {
  if (mistake_ == Mistake::keys_values_swapped) return inner_.do_store_kv(rows, layer, v, k);
  if (mistake_ != Mistake::cache_position) return inner_.do_store_kv(rows, layer, k, v);
  std::vector<std::uint32_t> late(rows.positions.begin(), rows.positions.end());
  for (std::size_t t = 0; t < rows.size(); ++t) rows.caches[t]->reserve(++late[t] + 1, inner_);
  inner_.do_store_kv({late, rows.caches}, layer, k, v);
}

namespace {

using Q = Tensor<const float, Tokens, Heads, HeadDim>;
using Out = Tensor<float, Tokens, Heads, HeadDim>;

// Every row looks from another place: `place(its own position, the last one of its sequence in this batch)`.
template <class Place>
std::vector<std::uint32_t> moved(const BatchRows& rows, const Place& place) {
  std::vector<std::uint32_t> positions(rows.positions.begin(), rows.positions.end());
  for (std::size_t t = 0; t < rows.size(); ++t) {
    std::uint32_t last = rows.positions[t];
    for (std::size_t u = 0; u < rows.size(); ++u) {
      if (rows.caches[u] == rows.caches[t]) last = std::max(last, rows.positions[u]);
    }
    positions[t] = place(rows.positions[t], last);
  }
  return positions;
}

// Head h is asked in the place of head place(h), whose keys it gets to see.
template <class Place>
void with_heads_moved(Ops& ops, Out out, Q q, const BatchRows& rows, std::size_t layer,
                      const AttentionSettings& settings, const Place& place) {
  const std::size_t bytes = q.size() * sizeof(float);
  const Buffer<float> shuffled(q.size(), ops.memory(bytes)), answer(q.size(), ops.memory(bytes));
  const Out from(shuffled.data(), q.extents()), to(answer.data(), q.extents());
  const std::size_t heads = q.extent<Heads>(), head_dim = q.extent<HeadDim>();
  for (std::size_t t = 0; t < rows.size(); ++t) {
    for (std::size_t h = 0; h < heads; ++h) std::copy_n(q[t][h].data(), head_dim, from[t][place(h)].data());
  }
  ops.do_attention(to, from, rows, layer, settings);
  for (std::size_t t = 0; t < rows.size(); ++t) {
    for (std::size_t h = 0; h < heads; ++h) std::copy_n(to[t][place(h)].data(), head_dim, out[t][h].data());
  }
}

// The rows of one head that a cache keeps, at positions [0, count): [count, head_dim].
std::vector<float> kept_rows(const KvCache& cache, std::size_t layer, std::size_t kv_head, std::size_t count,
                             decltype(&KvCache::keys) part) {
  const std::size_t head_dim = cache.shape().head_dim;
  std::vector<float> all, scratch(kKvBlock * head_dim);
  for (std::size_t first = 0; first < count; first += kKvBlock) {
    const std::size_t here = std::min(kKvBlock, count - first);
    const float* const rows = (cache.*part)(layer, first / kKvBlock, kv_head, here, scratch.data());
    all.insert(all.end(), rows, rows + here * head_dim);
  }
  return all;
}

// weights[t, j] = e^s(t, j) / Σ_t e^s(t, j): what looks at j shares it, and what t gets is any amount.
void attend_over_the_wrong_axis(Out out, Q q, const BatchRows& rows, std::size_t layer,
                                const AttentionSettings& settings) {
  const std::size_t tokens = rows.size(), heads = q.extent<Heads>(), head_dim = q.extent<HeadDim>();
  for (std::size_t h = 0; h < heads; ++h) {
    std::vector<std::vector<double>> powers(tokens);  // e^s of a row's keys
    for (std::size_t t = 0; t < tokens; ++t) {
      const std::size_t seen = rows.positions[t] + 1, kv_head = h * rows.caches[t]->shape().kv_heads / heads;
      const std::vector<float> keys = kept_rows(*rows.caches[t], layer, kv_head, seen, &KvCache::keys);
      for (std::size_t j = 0; j < seen; ++j) {
        float dot = 0;
        for (std::size_t d = 0; d < head_dim; ++d) dot += q[t][h][d] * keys[j * head_dim + d];
        const bool forgotten = settings.window_tokens != 0 && j + settings.window_tokens < seen;
        powers[t].push_back(forgotten ? 0.0 : std::exp(static_cast<double>(settings.scale * dot)));
      }
    }
    for (std::size_t t = 0; t < tokens; ++t) {
      const std::size_t seen = powers[t].size(), kv_head = h * rows.caches[t]->shape().kv_heads / heads;
      const std::vector<float> values = kept_rows(*rows.caches[t], layer, kv_head, seen, &KvCache::values);
      std::fill_n(out[t][h].data(), head_dim, 0.0f);
      for (std::size_t j = 0; j < seen; ++j) {
        double sum = 0;
        for (std::size_t u = 0; u < tokens; ++u) {
          if (rows.caches[u] == rows.caches[t] && j < powers[u].size()) sum += powers[u][j];
        }
        const auto weight = static_cast<float>(sum == 0 ? 0 : powers[t][j] / sum);
        for (std::size_t d = 0; d < head_dim; ++d) out[t][h][d] += weight * values[j * head_dim + d];
      }
    }
  }
}

}  // namespace

void BrokenOps::do_attention(Out out, Q q, const BatchRows& rows, std::size_t layer,
                             const AttentionSettings& settings) {
  const std::size_t heads = q.extent<Heads>(), head_dim = q.extent<HeadDim>();
  const auto from = [&](const auto& place) {
    inner_.do_attention(out, q, {moved(rows, place), rows.caches}, layer, settings);
  };
  if (mistake_ == Mistake::query_scale) {
    inner_.do_attention(out, q, rows, layer, {.scale = 1.0f, .window_tokens = settings.window_tokens});
  } else if (mistake_ == Mistake::window_forgotten) {
    inner_.do_attention(out, q, rows, layer, {.scale = settings.scale, .window_tokens = 0});
  } else if (mistake_ == Mistake::causal_mask) {
    from([](std::uint32_t, std::uint32_t last) { return last; });
  } else if (mistake_ == Mistake::mask_one_more) {
    from([](std::uint32_t own, std::uint32_t last) { return std::min(own + 1, last); });
  } else if (mistake_ == Mistake::mask_one_less) {
    from([](std::uint32_t own, std::uint32_t) { return own == 0 ? 0 : own - 1; });  // the first has none but itself
  } else if (mistake_ == Mistake::softmax_axis) {
    attend_over_the_wrong_axis(out, q, rows, layer, settings);
  } else if (mistake_ == Mistake::gqa_grouping && !rows.caches.empty()) {
    // a head that reads key head h mod kv_heads
    const std::size_t kv_heads = rows.caches[0]->shape().kv_heads;
    with_heads_moved(inner_, out, q, rows, layer, settings,
                     [&](std::size_t h) { return h % kv_heads * (heads / kv_heads) + h / kv_heads; });
  } else {
    inner_.do_attention(out, q, rows, layer, settings);
  }
  if (mistake_ != Mistake::heads_transposed) return;
  for (std::size_t t = 0; t < rows.size(); ++t) {
    const std::vector<float> heads_side_by_side(out[t].data(), out[t].data() + heads * head_dim);
    for (std::size_t i = 0; i < heads * head_dim; ++i) {
      out[t].data()[i] = heads_side_by_side[i % heads * head_dim + i / heads];
    }
  }
}

void BrokenOps::do_gate(Matrix out, ConstMatrix gate, ConstMatrix up, Activation activation) {
  if (mistake_ == Mistake::activation_missing) {
    for (std::size_t i = 0; i < gate.size(); ++i) out.data()[i] = gate.data()[i] * up.data()[i];
    return;
  }
  if (mistake_ == Mistake::activation_sigmoid) {
    for (std::size_t i = 0; i < gate.size(); ++i) out.data()[i] = up.data()[i] / (1 + std::exp(-gate.data()[i]));
    return;
  }
  if (mistake_ == Mistake::activation_other) {
    activation = activation == Activation::silu ? Activation::gelu_tanh : Activation::silu;
  }
  const bool swap = mistake_ == Mistake::gate_up_swapped;
  inner_.do_gate(out, swap ? up : gate, swap ? gate : up, activation);
}

void BrokenOps::do_add(Matrix x, ConstMatrix y) {
  if (mistake_ == Mistake::residual_missing) {
    std::copy_n(y.data(), y.size(), x.data());
  } else {
    if (mistake_ == Mistake::residual_normed) std::copy_n(normed_.data(), x.size(), x.data());
    inner_.do_add(x, y);
  }
}

}  // namespace rung
