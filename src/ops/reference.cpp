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

// ids[T] → out[T, hidden].  A token is a number; row `id` of the table is the vector that stands for it. No arithmetic:
// a look-up. (Some families scale it.)
void ReferenceOps::do_embed(Matrix out, std::span<const std::int32_t> ids, const PackedMatrix& table, float scale) {
  for (std::size_t t = 0; t < ids.size(); ++t) {
    decode_row(out[t].span(), table.dtype, table.row(static_cast<std::size_t>(ids[t])));
    if (scale != 1.0f) kernels_.scale(out[t].data(), scale, table.columns);
  }
}

// out[r,i] = x[r,i] / √(mean_j x[r,j]² + ε) · weight[i].  (Zhang & Sennrich 2019, arXiv:1910.07467)
//
// Whatever the length of a row was, its values are now around 1 in size, so that no layer shouts another down; `weight`
// says how loud each column should be. ε keeps a row of zeros from dividing by zero. Rows know nothing of each other:
// threads share them.
void ReferenceOps::do_rms_norm(Matrix out, ConstMatrix x, const Norm& norm) {
  team_.run(x.extent<Rows>(), [&](std::size_t begin, std::size_t end) {
    for (std::size_t r = begin; r < end; ++r) {
      kernels_.rms_norm(out[r].data(), x[r].data(), norm.weight.data(), norm.weight.size(), norm.epsilon);
    }
  });
}

// out[t,o] = Σ_i x[t,i]·w[o,i] (+ bias[o]):  [T, in] → [T, out].  Nearly all of a model's weights and time are here.
//
//            in                     out                 Each row of w is one question that is asked of every token;
//         ┌───────┐              ┌─────────┐            the answer is a dot product. Weights lie as [out, in], so
//      T  │   x   │  ·  wᵀ   =   │   out   │  T         that a row, which is what a dot product reads, is one piece
//         └───────┘              └─────────┘            of memory.
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

// Rotary position embedding.  (Su et al. 2021, arXiv:2104.09864)
//
//   pair i of a head is (x[i], x[i + half]), a point in the plane; at position p it is turned by the angle p·f[i]:
//     x[i]        ←  x[i]·cos − x[i + half]·sin
//     x[i + half] ←  x[i + half]·cos + x[i]·sin              f[i] = theta^(−2i / head_dim), unless a scaling changes it
//
// Two points turned by a and by b have the dot product of points turned by 0 and b − a: so attention, which compares
// q and k by dot products, sees how far apart two tokens are, not where they stand. The first pairs turn fast and tell
// neighbours apart, the last turn slowly and tell pages apart. `magnitude` is 1 but in YaRN.
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

// k, v [T, kv_heads, head_dim] → each row's cache. Later tokens will ask for them, and they never change.
void ReferenceOps::do_store_kv(const BatchRows& rows, std::size_t layer,
                               Tensor<const float, Tokens, KvHeads, HeadDim> k,
                               Tensor<const float, Tokens, KvHeads, HeadDim> v) {
  for (std::size_t t = 0; t < rows.size(); ++t) rows.caches[t]->store(layer, rows.positions[t], k[t], v[t]);
}

// out[t,h] = Σ_j softmax_j(scale·q[t,h]·k[j,g])·v[j,g]:  the one step in which tokens see each other.
// (Vaswani et al. 2017, arXiv:1706.03762)
//
//   q of token t asks, k of each token j ≤ t answers how much it matters, v of j is what it has to say:
//
//              j = 0   1   2   3                   Causal: a token sees itself and what came before, never what comes
//        t = 0    ▓                               after (there is nothing after when it is generated). A window, where
//            1    ▓   ▓                           a layer has one, also forgets what is too far back.
//            2    ▓   ▓   ▓
//            3    ▓   ▓   ▓   ▓
//
// Grouped queries (Ainslie et al. 2023, arXiv:2305.13245): heads / kv_heads neighbouring heads of q share one head of k
// and v, g = h·kv_heads / heads, which makes the cache that much smaller. Every head of every token is by itself:
// threads share them.
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

// One head of one token: q[head_dim] → out[head_dim].
//
// softmax is e^(s_j) / Σ e^(s_j), and e^s overflows a float at s = 89. Nothing changes if the largest score is taken
// from all of them first, since e^(s - m) / Σ e^(s - m) is the same fraction; then the largest power is e⁰ = 1. To see
// the keys once only, they come in blocks aligned to position 0, each with a maximum m of its own, and the partial
// results are combined from left to right:
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

    float scores[kKvBlock];  // of this block: s_j, then e^(s_j - m)
    for (std::size_t j = first; j < count; ++j) {
      scores[j] = settings.scale * kernels_.dot(q.data(), keys + j * head_dim, head_dim);
    }
    const auto [block_max, block_sum] = kernels_.exponentiate(scores + first, count - first);
    std::fill_n(partial, head_dim, 0.0f);
    for (std::size_t j = first; j < count; ++j) {
      kernels_.add_scaled(partial, scores[j], values + j * head_dim, head_dim);
    }

    // What was summed under the old maximum, and what under the block's, are brought to the larger of the two.
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

// out[t,i] = activation(gate[t,i])·up[t,i]: SwiGLU with silu(x) = x / (1 + e^-x), GeGLU with gelu.
// (Shazeer 2020, arXiv:2002.05202) `up` says something, `gate` says how much of it gets through.
void ReferenceOps::do_gate(Matrix out, ConstMatrix gate, ConstMatrix up, Activation activation) {
  const auto kernel = activation == Activation::silu ? kernels_.silu_gate : kernels_.gelu_gate;
  team_.run(gate.extent<Rows>(), [&](std::size_t begin, std::size_t end) {
    for (std::size_t r = begin; r < end; ++r) {
      kernel(out[r].data(), gate[r].data(), up[r].data(), gate.extent<Columns>());
    }
  });
}

// x[T, hidden] += y.  The residual stream: a layer never replaces what is known of a token, it adds to it.
// (He et al. 2015, arXiv:1512.03385)
void ReferenceOps::do_add(Matrix x, ConstMatrix y) {
  for (std::size_t i = 0; i < x.size(); ++i) x.data()[i] += y.data()[i];
}

}  // namespace rung
