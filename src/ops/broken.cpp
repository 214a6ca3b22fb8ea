#include "ops/broken.h"

#include <algorithm>
#include <array>
#include <cmath>
#include <vector>

namespace rung {

std::span<const MistakeInfo> mistakes() {
  static constexpr std::array<MistakeInfo, 8> kMistakes{{
      {Mistake::rope_pairing, "rope-pairing",
       "RoPE turns neighbours (2i, 2i+1) instead of the halves (i, i + head_dim/2)"},
      {Mistake::query_scale, "query-scale", "attention scores are not scaled by 1/√head_dim"},
      {Mistake::causal_mask, "causal-mask", "a token sees the tokens after it"},
      {Mistake::cache_position, "cache-position", "keys and values are kept one position too late"},
      {Mistake::missing_qk_norm, "missing-qk-norm", "q and k are not normalised"},
      {Mistake::norm_epsilon, "norm-epsilon", "RMSNorm adds 1e-2 instead of the model's epsilon"},
      {Mistake::gqa_grouping, "gqa-grouping",
       "query head h reads key head h mod kv_heads instead of h·kv_heads / heads"},
      {Mistake::gate_up_swapped, "gate-up-swapped", "the activation is applied to up instead of gate"},
  }};
  return kMistakes;
}

void BrokenOps::do_rms_norm(Matrix out, ConstMatrix x, const Norm& norm) {
  const bool of_query_or_key =
      norm.name.find("q_norm") != std::string::npos || norm.name.find("k_norm") != std::string::npos;
  if (mistake_ == Mistake::missing_qk_norm && of_query_or_key) {
    std::copy_n(x.data(), x.size(), out.data());
  } else if (mistake_ == Mistake::norm_epsilon) {
    inner_.do_rms_norm(out, x, {norm.name, norm.weight, 1e-2f});
  } else {
    inner_.do_rms_norm(out, x, norm);
  }
}

void BrokenOps::do_rope(Tensor<float, Tokens, Heads, HeadDim> x, std::span<const std::uint32_t> positions,
                        const Rope& rope) {
  if (mistake_ != Mistake::rope_pairing) return inner_.do_rope(x, positions, rope);
  for (std::size_t t = 0; t < positions.size(); ++t) {
    for (std::size_t h = 0; h < x.extent<Heads>(); ++h) {
      for (std::size_t i = 0; i < rope.inverse_frequencies.size(); ++i) {
        const float angle = static_cast<float>(positions[t]) * rope.inverse_frequencies[i];
        const float a = x[t][h][2 * i];
        const float b = x[t][h][2 * i + 1];
        x[t][h][2 * i] = (a * std::cos(angle) - b * std::sin(angle)) * rope.magnitude;
        x[t][h][2 * i + 1] = (b * std::cos(angle) + a * std::sin(angle)) * rope.magnitude;
      }
    }
  }
}

void BrokenOps::do_store_kv(const BatchRows& rows, std::size_t layer, Tensor<const float, Tokens, KvHeads, HeadDim> k,
                            Tensor<const float, Tokens, KvHeads, HeadDim> v) {
  if (mistake_ != Mistake::cache_position) return inner_.do_store_kv(rows, layer, k, v);
  std::vector<std::uint32_t> late(rows.positions.begin(), rows.positions.end());
  for (std::size_t t = 0; t < rows.size(); ++t) rows.caches[t]->reserve(++late[t] + 1);
  inner_.do_store_kv({late, rows.caches}, layer, k, v);
}

void BrokenOps::do_attention(Tensor<float, Tokens, Heads, HeadDim> out, Tensor<const float, Tokens, Heads, HeadDim> q,
                             const BatchRows& rows, std::size_t layer, const AttentionSettings& settings) {
  if (mistake_ == Mistake::query_scale) {
    inner_.do_attention(out, q, rows, layer, {.scale = 1.0f, .window_tokens = settings.window_tokens});
  } else if (mistake_ == Mistake::causal_mask) {
    // Every row looks from where the last row of its sequence stands.
    std::vector<std::uint32_t> last(rows.positions.begin(), rows.positions.end());
    for (std::size_t t = 0; t < rows.size(); ++t) {
      for (std::size_t u = 0; u < rows.size(); ++u) {
        if (rows.caches[u] == rows.caches[t]) last[t] = std::max(last[t], rows.positions[u]);
      }
    }
    inner_.do_attention(out, q, {last, rows.caches}, layer, settings);
  } else if (mistake_ == Mistake::gqa_grouping && !rows.caches.empty()) {
    // Head h is asked in the place of a head that reads key head h mod kv_heads.
    const std::size_t heads = q.extent<Heads>();
    const std::size_t kv_heads = rows.caches[0]->shape().kv_heads;
    std::vector<float> shuffled(q.size());
    std::vector<float> answer(q.size());
    const auto place = [&](std::size_t h) { return h % kv_heads * (heads / kv_heads) + h / kv_heads; };
    const Tensor<float, Tokens, Heads, HeadDim> from(shuffled.data(), q.extents());
    const Tensor<float, Tokens, Heads, HeadDim> to(answer.data(), q.extents());
    for (std::size_t t = 0; t < rows.size(); ++t) {
      for (std::size_t h = 0; h < heads; ++h) {
        std::copy_n(q[t][h].data(), q.extent<HeadDim>(), from[t][place(h)].data());
      }
    }
    inner_.do_attention(to, from, rows, layer, settings);
    for (std::size_t t = 0; t < rows.size(); ++t) {
      for (std::size_t h = 0; h < heads; ++h) {
        std::copy_n(to[t][place(h)].data(), q.extent<HeadDim>(), out[t][h].data());
      }
    }
  } else {
    inner_.do_attention(out, q, rows, layer, settings);
  }
}

void BrokenOps::do_gate(Matrix out, ConstMatrix gate, ConstMatrix up, Activation activation) {
  const bool swap = mistake_ == Mistake::gate_up_swapped;
  inner_.do_gate(out, swap ? up : gate, swap ? gate : up, activation);
}

}  // namespace rung
