#include "ops/reference.h"

#include <algorithm>
#include <cmath>
#include <limits>
#include <vector>

#include "kernels/scalar/scalar.h"
#include "tensor/blocks.h"

namespace rung {

namespace {

// A block of keys, a block of values, and a block's partial result.
std::size_t attention_scratch(std::size_t head_dim) { return (2 * kKvBlock + 1) * head_dim; }

}  // namespace

ReferenceOps::ReferenceOps(ThreadTeam& team) : team_(team), kernels_(scalar::kernels) {}

void ReferenceOps::do_embed(Matrix out, std::span<const std::int32_t> ids, const PackedMatrix& table, float scale) {
  for (std::size_t t = 0; t < ids.size(); ++t) {
    decode_row(out[t].span(), table.dtype, table.row(static_cast<std::size_t>(ids[t])));
    if (scale != 1.0f) kernels_.scale(out[t].data(), scale, table.columns);
  }
}

void ReferenceOps::do_rms_norm(Matrix out, ConstMatrix x, const Norm& norm) {
  team_.run(x.extent<Rows>(), [&](std::size_t begin, std::size_t end) {
    for (std::size_t r = begin; r < end; ++r) {
      kernels_.rms_norm(out[r].data(), x[r].data(), norm.weight.data(), norm.weight.size(), norm.epsilon);
    }
  });
}

void ReferenceOps::do_linear(Matrix out, ConstMatrix x, const PackedMatrix& w) {
  // Weights stay packed in memory; a few rows at a time are decoded to f32, then meet every token while they lie in the
  // nearest cache.
  constexpr std::size_t kRowsAtOnce = 8;
  team_.run(w.rows, [&](std::size_t begin, std::size_t end) {
    std::vector<float> decoded(kRowsAtOnce * w.columns);
    for (std::size_t first = begin; first < end; first += kRowsAtOnce) {
      const std::size_t count = std::min(kRowsAtOnce, end - first);
      for (std::size_t r = 0; r < count; ++r) {
        decode_row({&decoded[r * w.columns], w.columns}, w.dtype, w.row(first + r));
      }
      for (std::size_t t = 0; t < x.extent<Rows>(); ++t) {
        for (std::size_t r = 0; r < count; ++r) {
          const float bias = w.bias.empty() ? 0.0f : w.bias[first + r];
          out[t][first + r] = kernels_.dot(x[t].data(), &decoded[r * w.columns], w.columns) + bias;
        }
      }
    }
  });
}

void ReferenceOps::do_rope(Tensor<float, Tokens, Heads, HeadDim> x, std::span<const std::uint32_t> positions,
                           const Rope& rope) {
  const std::size_t half = rope.inverse_frequencies.size();
  std::vector<float> cosine(half);
  std::vector<float> sine(half);
  for (std::size_t t = 0; t < positions.size(); ++t) {
    for (std::size_t i = 0; i < half; ++i) {
      const float angle = static_cast<float>(positions[t]) * rope.inverse_frequencies[i];
      cosine[i] = std::cos(angle) * rope.magnitude;
      sine[i] = std::sin(angle) * rope.magnitude;
    }
    for (std::size_t h = 0; h < x.extent<Heads>(); ++h) {
      kernels_.rotate(x[t][h].data(), cosine.data(), sine.data(), half);
    }
  }
}

void ReferenceOps::do_store_kv(const BatchRows& rows, std::size_t layer,
                               Tensor<const float, Tokens, KvHeads, HeadDim> k,
                               Tensor<const float, Tokens, KvHeads, HeadDim> v) {
  for (std::size_t t = 0; t < rows.size(); ++t) rows.caches[t]->store(layer, rows.positions[t], k[t], v[t]);
}

void ReferenceOps::do_attention(Tensor<float, Tokens, Heads, HeadDim> out,
                                Tensor<const float, Tokens, Heads, HeadDim> q, const BatchRows& rows, std::size_t layer,
                                const AttentionSettings& settings) {
  const std::size_t heads = q.extent<Heads>();
  team_.run(rows.size() * heads, [&](std::size_t begin, std::size_t end) {
    std::vector<float> scratch(attention_scratch(q.extent<HeadDim>()));
    for (std::size_t i = begin; i < end; ++i) {
      const std::size_t t = i / heads;
      const std::size_t h = i % heads;
      const KvCache& cache = *rows.caches[t];
      const std::size_t kv_head = h * cache.shape().kv_heads / heads;
      attend(out[t][h], q[t][h], {cache, layer, kv_head, rows.positions[t]}, settings, scratch.data());
    }
  });
}

// One head of one token. The keys come in blocks aligned to position 0, and the partial results are combined from left
// to right:
//
//   of a block:     m = max_j s_j      l = Σ_j e^(s_j - m)      a = Σ_j e^(s_j - m)·v_j            s_j = scale·q·k_j
//   of two of them: m = max(m₁, m₂)    l = l₁·e^(m₁-m) + l₂·e^(m₂-m)    a likewise;    at the end: out = a / l
//
// Nothing here depends on what else is in the batch, so prefill, decode and every chunking give the same bits.
// (The running softmax of Milakov & Gimelshein 2018, arXiv:1805.02867.)
void ReferenceOps::attend(Tensor<float, HeadDim> out, Tensor<const float, HeadDim> q, const Context& context,
                          const AttentionSettings& settings, float* scratch) const {
  const std::size_t head_dim = q.size();
  const std::size_t seen = context.position + 1;
  const std::size_t start =
      settings.window_tokens != 0 && seen > settings.window_tokens ? seen - settings.window_tokens : 0;
  float* const key_scratch = scratch;
  float* const value_scratch = key_scratch + kKvBlock * head_dim;
  float* const partial = value_scratch + kKvBlock * head_dim;

  float max = -std::numeric_limits<float>::infinity();
  float sum = 0;
  std::fill_n(out.data(), head_dim, 0.0f);
  for (std::size_t block = start / kKvBlock; block * kKvBlock < seen; ++block) {
    const std::size_t first = std::max(start, block * kKvBlock) - block * kKvBlock;
    const std::size_t count = std::min(seen - block * kKvBlock, kKvBlock);
    const float* keys = context.cache.keys(context.layer, block, context.kv_head, count, key_scratch);
    const float* values = context.cache.values(context.layer, block, context.kv_head, count, value_scratch);

    float scores[kKvBlock];
    for (std::size_t j = first; j < count; ++j) {
      scores[j] = settings.scale * kernels_.dot(q.data(), keys + j * head_dim, head_dim);
    }
    const auto [block_max, block_sum] = kernels_.exponentiate(scores + first, count - first);
    std::fill_n(partial, head_dim, 0.0f);
    for (std::size_t j = first; j < count; ++j) {
      kernels_.add_scaled(partial, scores[j], values + j * head_dim, head_dim);
    }

    const float new_max = std::max(max, block_max);
    const float old_share = std::exp(max - new_max);
    const float block_share = std::exp(block_max - new_max);
    sum = sum * old_share + block_sum * block_share;
    kernels_.scale(out.data(), old_share, head_dim);
    kernels_.add_scaled(out.data(), block_share, partial, head_dim);
    max = new_max;
  }
  for (std::size_t d = 0; d < head_dim; ++d) out[d] /= sum;
}

void ReferenceOps::do_gate(Matrix out, ConstMatrix gate, ConstMatrix up, Activation activation) {
  const auto kernel = activation == Activation::silu ? kernels_.silu_gate : kernels_.gelu_gate;
  team_.run(gate.extent<Rows>(), [&](std::size_t begin, std::size_t end) {
    for (std::size_t r = begin; r < end; ++r) {
      kernel(out[r].data(), gate[r].data(), up[r].data(), gate.extent<Columns>());
    }
  });
}

void ReferenceOps::do_add(Matrix x, ConstMatrix y) {
  for (std::size_t i = 0; i < x.size(); ++i) x.data()[i] += y.data()[i];
}

}  // namespace rung
