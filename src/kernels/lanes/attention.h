// One block of 64 keys and values × some queries → their shares of attention.  Milestones M4, M6.
//
// Included by each instruction set, inside its target region and namespace, after elementwise.h.
//
// The cache keeps a block's keys as [head_dim, 64] and its values as [64, head_dim], so both products run along lanes and nothing is added across them:
//
//   s[t, j] = scale·Σ_d q[t,d]·K[d, j]       16 keys a register: a key a lane
//   m[t] = max_j s      p[t,j] = e^(s - m)      l[t] = Σ_j p
//   a[t, d] = Σ_j p[t,j]·V[j, d]             16 dimensions a register
//
// These are the partial results that are combined from left to right. A key that a query does not see has p = 0. (Milakov & Gimelshein 2018,
// arXiv:1805.02867; tiles of queries against blocks of keys: Dao et al. 2022, arXiv:2205.14135.)
#pragma once

// out[t][16·c + lane] = Σ_k a[t][k]·b[k][16·c + lane], in the order of k.
template <class V, class Load, int kTokens, int kColumns>
inline void small_product(float* const (&out)[kTokens], const float* const (&a)[kTokens], std::size_t k_end, const std::byte* b,
                          std::size_t b_stride) {
  typename V::Floats sums[kTokens][kColumns];
  RUNG_UNROLL
  for (int t = 0; t < kTokens; ++t) {
    RUNG_UNROLL
    for (int c = 0; c < kColumns; ++c) sums[t][c] = V::broadcast(0.0f);
  }
  for (std::size_t k = 0; k < k_end; ++k) {
    typename V::Floats row[kColumns];
    RUNG_UNROLL
    for (int c = 0; c < kColumns; ++c) row[c] = Load::column(b + k * b_stride + static_cast<std::size_t>(c) * Load::kBytes);
    RUNG_UNROLL
    for (int t = 0; t < kTokens; ++t) {
      const typename V::Floats value = V::broadcast(a[t][k]);
      RUNG_UNROLL
      for (int c = 0; c < kColumns; ++c) sums[t][c] = V::fma(value, row[c], sums[t][c]);
    }
  }
  RUNG_UNROLL
  for (int t = 0; t < kTokens; ++t) {
    RUNG_UNROLL
    for (int c = 0; c < kColumns; ++c) V::store(out[t] + 16 * c, sums[t][c]);
  }
}

// Scores → e^(s - max) in place, with their maximum and sum. Outside [first, end) they become 0.
template <class V>
inline void softmax_block(float* scores, std::size_t first, std::size_t end, float scale, float* max_and_sum) {
  for (std::size_t j = 0; j < kAttentionKeys; ++j) {
    if (j < first || j >= end) scores[j] = -__builtin_inff();
  }
  typename V::Floats largest = V::broadcast(-__builtin_inff());
  for (std::size_t j = 0; j < kAttentionKeys; j += 16) {
    V::store(scores + j, V::mul(V::load(scores + j), V::broadcast(scale)));
    largest = V::max(largest, V::load(scores + j));
  }
  const float max = V::largest(largest);
  typename V::Floats sum = V::broadcast(0.0f);
  for (std::size_t j = 0; j < kAttentionKeys; j += 16) {
    const typename V::Floats p = exp<V>(V::sub(V::load(scores + j), V::broadcast(max)));
    V::store(scores + j, p);
    sum = V::add(sum, p);
  }
  max_and_sum[0] = max;
  max_and_sum[1] = V::sum(sum);
}

template <class V, class Load, int kTokens>
void attend_tile(const AttentionBlock& block, std::size_t query) {
  constexpr int kColumns = V::kTileColumns;
  alignas(64) float scores[kTokens][kAttentionKeys];
  const float* q[kTokens];
  const float* p[kTokens];
  float* out[kTokens];
  std::size_t last = 0;
  for (int t = 0; t < kTokens; ++t) {
    const std::size_t i = query + static_cast<std::size_t>(t);
    q[t] = block.queries + i * block.query_stride;
    p[t] = scores[t];
    if (block.seen[i].end > last) last = block.seen[i].end;
  }
  for (std::size_t c = 0; c < last; c += 16 * kColumns) {
    for (int t = 0; t < kTokens; ++t) out[t] = scores[t] + c;
    small_product<V, Load, kTokens, kColumns>(out, q, block.head_dim, block.keys + c / 16 * Load::kBytes,
                                              kAttentionKeys / 16 * Load::kBytes);
  }
  for (int t = 0; t < kTokens; ++t) {
    const std::size_t i = query + static_cast<std::size_t>(t);
    softmax_block<V>(scores[t], block.seen[i].first, block.seen[i].end, block.scale, block.partials + i * block.partial_stride);
  }
  const std::size_t row_bytes = block.head_dim * Load::kBytes / 16;
  float* const values = block.partials + query * block.partial_stride + kPartialHead;
  std::size_t d = 0;
  for (; d + 16 * kColumns <= block.head_dim; d += 16 * kColumns) {
    for (int t = 0; t < kTokens; ++t) out[t] = values + static_cast<std::size_t>(t) * block.partial_stride + d;
    small_product<V, Load, kTokens, kColumns>(out, p, last, block.values + d / 16 * Load::kBytes, row_bytes);
  }
  for (; d < block.head_dim; d += 16) {
    for (int t = 0; t < kTokens; ++t) out[t] = values + static_cast<std::size_t>(t) * block.partial_stride + d;
    small_product<V, Load, kTokens, 1>(out, p, last, block.values + d / 16 * Load::kBytes, row_bytes);
  }
}

template <class V, class Load>
void attend_queries(const AttentionBlock& block) {
  std::size_t i = 0;
  for (; i + V::kTileQueries <= block.query_count; i += V::kTileQueries) attend_tile<V, Load, V::kTileQueries>(block, i);
  if constexpr (V::kTileQueries > 3) {
    for (; i + 3 <= block.query_count; i += 3) attend_tile<V, Load, 3>(block, i);
  }
  for (; i < block.query_count; ++i) attend_tile<V, Load, 1>(block, i);
}

template <class V>
void attend(const AttentionBlock& block) {
  if (block.halves) {
    attend_queries<V, F16<V>>(block);
  } else {
    attend_queries<V, F32<V>>(block);
  }
}

// total ← total and one more partial result:  m = max(m₁, m₂)   l = l₁·e^(m₁-m) + l₂·e^(m₂-m)   a likewise.
template <class V>
void combine(float* total, const float* partial, std::size_t head_dim) {
  const float max = total[0] > partial[0] ? total[0] : partial[0];
  const typename V::Floats old_share = exp<V>(V::broadcast(total[0] - max)), new_share = exp<V>(V::broadcast(partial[0] - max));
  float sums[16];
  V::store(sums, V::fma(V::broadcast(partial[1]), new_share, V::mul(V::broadcast(total[1]), old_share)));
  total[0] = max;
  total[1] = sums[0];
  for (std::size_t d = 0; d < head_dim; d += 16) {
    float* a = total + kPartialHead + d;
    V::store(a, V::fma(V::load(partial + kPartialHead + d), new_share, V::mul(V::load(a), old_share)));
  }
}

template <class V>
void use_attention(Kernels& k) {
  k.attend = attend<V>;
  k.combine = combine<V>;
}
