// One block of 64 keys and values × some queries → their shares of attention.  Milestones M4, M6.
//
// Included by each instruction set, inside its target region and namespace, after elementwise.h.
//
// The cache keeps a block's keys as [head_dim, 64] and its values as [64, head_dim], so both products run along lanes and nothing
// is added across them:
//
//   s[t, j] = scale·Σ_d q[t,d]·K[d, j]       16 keys a register: a key a lane
//   m[t] = max_j s      p[t,j] = e^(s - m)      l[t] = Σ_j p
//   a[t, d] = Σ_j p[t,j]·V[j, d]             16 dimensions a register
//
// These are the partial results that are combined from left to right. A key that a query does not see has no part in its sums, not even
// as 0·v: what stands there may be no number. A Q8_0 cache has a scale for every 32 dimensions of a key: sums of 32 are taken, then
// scaled; and of a value: it goes into p. (Milakov & Gimelshein 2018, arXiv:1805.02867; tiles of queries against blocks of keys:
// Dao et al. 2022, arXiv:2205.14135.)
#pragma once

inline constexpr std::size_t kNearBytes = 1024;

// out[t][16·c + lane] += Σ_k a[t][k]·b[k][16·c + lane] over [k, k_end), one after the other.
//
// Few queries wait for memory: what comes next lies `fetch` bytes from b, as large as b is, and is asked for meanwhile; and what lies
// kNearBytes ahead, a second time, into the first-level cache (linear.h).
template <class V, class Load, int kTokens, int kColumns>
inline void small_product(float* const (&out)[kTokens], const float* const (&a)[kTokens], std::size_t k, std::size_t k_end,
                          const std::byte* b, std::size_t b_stride, std::ptrdiff_t fetch) {
  typename V::Floats sums[kTokens][kColumns];
  RUNG_UNROLL
  for (int t = 0; t < kTokens; ++t) {
    RUNG_UNROLL
    for (int c = 0; c < kColumns; ++c) sums[t][c] = V::load(out[t] + 16 * c);
  }
  for (; k < k_end; ++k) {
    if constexpr (kTokens <= 3) {
      for (std::size_t line = 0; line < kColumns * Load::kBytes; line += 64) {
        const std::uintptr_t read = reinterpret_cast<std::uintptr_t>(b + k * b_stride + line);
        __builtin_prefetch(reinterpret_cast<const void*>(read + static_cast<std::uintptr_t>(fetch)), 0, 2);
        __builtin_prefetch(reinterpret_cast<const void*>(read + kNearBytes), 0, 3);
      }
    }
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

template <class V, int kTokens, int kColumns>
inline void clear(float* const (&out)[kTokens]) {
  for (int t = 0; t < kTokens; ++t) {
    for (int c = 0; c < kColumns; ++c) V::store(out[t] + 16 * c, V::broadcast(0.0f));
  }
}

// Scores of a tile's queries → e^(scale·s - max) in place, with their maxima and sums. Keys that a query does not see get 0. Step by step
// for all queries: one query's steps wait for each other, another's do not.
template <class V, int kTokens>
inline void softmax_tile(float (&scores)[kTokens][kAttentionKeys], const AttentionBlock::Seen (&seen)[kTokens], float scale,
                         float* partials, std::size_t stride) {
  constexpr int kRegisters = kAttentionKeys / 16;
  typename V::Floats sums[kTokens];
  for (std::size_t t = 0; t < kTokens; ++t) {
    for (std::size_t j = 0; j < seen[t].first; ++j) scores[t][j] = -__builtin_inff();
    for (std::size_t j = seen[t].end; j < kAttentionKeys; ++j) scores[t][j] = -__builtin_inff();
    typename V::Floats largest = V::broadcast(-__builtin_inff());
    RUNG_UNROLL
    for (int i = 0; i < kRegisters; ++i) {
      const typename V::Floats s = V::mul(V::load(scores[t] + 16 * i), V::broadcast(scale));
      largest = V::max(largest, s);
      V::store(scores[t] + 16 * i, s);
    }
    partials[t * stride] = V::largest(largest);
  }
  for (std::size_t t = 0; t < kTokens; ++t) {  // s - max ≤ 0, but where there is a NaN: then the sum is one, whatever else is in it
    sums[t] = V::broadcast(0.0f);
    RUNG_UNROLL
    for (int i = 0; i < kRegisters; ++i) {
      const typename V::Floats e = exp_below_88<V>(V::sub(V::load(scores[t] + 16 * i), V::broadcast(partials[t * stride])));
      V::store(scores[t] + 16 * i, e);
      sums[t] = V::add(sums[t], e);
    }
  }
  for (std::size_t t = 0; t < kTokens; ++t) partials[t * stride + 1] = V::sum(sums[t]);
}

// Bytes of a Q8_0 cache, without their scales.
template <class V>
struct Q8Cache {
  static constexpr std::size_t kBytes = 16;
  static typename V::Floats column(const std::byte* p) { return V::load_int8(p); }
};
template <class Load>
inline constexpr bool kHasScales = Load::kBytes == 16;

template <class V>
inline typename V::Floats load_scales(const f16* scales) { return V::load_f16(reinterpret_cast<const std::byte*>(scales)); }

// How many registers of columns a tile of so many queries takes: of few queries more, to hide the latency of their sums.
template <class V, int kTokens>
inline constexpr int kColumnsOfTile = kTokens < V::kTileQueries ? V::kFewQueriesColumns : V::kTileColumns;

// out[t][16·c + lane] = Σ_d q[t][d]·K[d][at + 16·c + lane]
template <class V, class Load, int kTokens, int kColumns>
inline void score_keys(float* const (&out)[kTokens], const float* const (&q)[kTokens], const AttentionBlock& block, std::size_t at) {
  constexpr std::size_t kStride = kAttentionKeys / 16 * Load::kBytes;
  const std::byte* const keys = block.keys + at / 16 * Load::kBytes;
  const std::ptrdiff_t fetch = block.values - block.keys;
  clear<V, kTokens, kColumns>(out);
  if constexpr (!kHasScales<Load>) {
    small_product<V, Load, kTokens, kColumns>(out, q, 0, block.head_dim, keys, kStride, fetch);
  } else {
    alignas(64) float sums[kTokens][16 * kColumns];
    float* sum[kTokens];
    for (int t = 0; t < kTokens; ++t) sum[t] = sums[t];
    for (std::size_t d = 0; d < block.head_dim; d += 32) {
      const std::size_t end = d + 32 < block.head_dim ? d + 32 : block.head_dim;
      clear<V, kTokens, kColumns>(sum);
      small_product<V, Load, kTokens, kColumns>(sum, q, d, end, keys, kStride, fetch);
      for (int c = 0; c < kColumns; ++c) {
        const typename V::Floats scales =
            load_scales<V>(block.key_scales + d / 32 * kAttentionKeys + at + 16 * static_cast<std::size_t>(c));
        for (int t = 0; t < kTokens; ++t) V::store(out[t] + 16 * c, V::fma(V::load(sum[t] + 16 * c), scales, V::load(out[t] + 16 * c)));
      }
    }
  }
}

// out[t][16·c + lane] = Σ_j p[t][j]·V[j][at + 16·c + lane] over the keys that t sees. Those that the whole tile sees go through together;
// at both ends, where some see what others do not, each query goes by itself.
template <class V, class Load, int kTokens, int kColumns>
inline void weigh_values(float* const (&out)[kTokens], const float* const (&p)[kTokens], const AttentionBlock::Seen (&seen)[kTokens],
                         const AttentionBlock& block, std::size_t at) {
  const std::size_t stride = block.head_dim * Load::kBytes / 16;
  const std::byte* const values = block.values + at / 16 * Load::kBytes;
  const std::ptrdiff_t fetch = block.next == nullptr ? 0 : block.next - block.values;
  AttentionBlock::Seen all = seen[0];
  for (int t = 1; t < kTokens; ++t) {
    if (seen[t].first > all.first) all.first = seen[t].first;
    if (seen[t].end < all.end) all.end = seen[t].end;
  }
  if (all.end < all.first) all.end = all.first;
  const auto alone = [&](int t, std::size_t first, std::size_t end) {
    if (first < end) small_product<V, Load, 1, kColumns>({out[t]}, {p[t]}, first, end, values, stride, fetch);
  };
  clear<V, kTokens, kColumns>(out);
  for (int t = 0; t < kTokens; ++t) alone(t, seen[t].first, seen[t].end < all.first ? seen[t].end : all.first);
  small_product<V, Load, kTokens, kColumns>(out, p, all.first, all.end, values, stride, fetch);
  for (int t = 0; t < kTokens; ++t) alone(t, seen[t].first > all.end ? seen[t].first : all.end, seen[t].end);
}

// The values of all dimensions into the partial results of the queries from `query` on.
template <class V, class Load, int kTokens>
inline void weigh_all_values(const float (&scores)[kTokens][kAttentionKeys], const AttentionBlock::Seen (&seen)[kTokens],
                             const AttentionBlock& block, std::size_t query) {
  constexpr int kColumns = kHasScales<Load> ? 2 : kColumnsOfTile<V, kTokens>;  // not more than have a scale in common
  alignas(64) float scaled[kTokens][kAttentionKeys];
  const float* p[kTokens];
  float* out[kTokens];
  for (int t = 0; t < kTokens; ++t) p[t] = kHasScales<Load> ? scaled[t] : scores[t];
  float* const to = block.partials + query * block.partial_stride + kPartialHead;
  for (std::size_t d = 0; d < block.head_dim; d += 16 * kColumns) {
    if constexpr (kHasScales<Load>) {
      for (std::size_t j = 0; j < kAttentionKeys; j += 16) {
        const typename V::Floats scales = load_scales<V>(block.value_scales + d / 32 * kAttentionKeys + j);
        for (int t = 0; t < kTokens; ++t) V::store(scaled[t] + j, V::mul(V::load(scores[t] + j), scales));
      }
    }
    for (int t = 0; t < kTokens; ++t) out[t] = to + static_cast<std::size_t>(t) * block.partial_stride + d;
    if (d + 16 * kColumns <= block.head_dim) {
      weigh_values<V, Load, kTokens, kColumns>(out, p, seen, block, d);
      continue;
    }
    for (std::size_t at = d; at < block.head_dim; at += 16) {
      for (int t = 0; t < kTokens; ++t) out[t] = to + static_cast<std::size_t>(t) * block.partial_stride + at;
      weigh_values<V, Load, kTokens, 1>(out, p, seen, block, at);
    }
  }
}

template <class V, class Load, int kTokens>
void attend_tile(const AttentionBlock& block, std::size_t query) {
  constexpr int kColumns = kColumnsOfTile<V, kTokens>;
  static_assert(kAttentionKeys % (16 * kColumns) == 0);
  alignas(64) float scores[kTokens][kAttentionKeys];
  AttentionBlock::Seen seen[kTokens];
  const float* q[kTokens];
  float* out[kTokens];
  std::size_t last = 0;
  for (int t = 0; t < kTokens; ++t) {
    const std::size_t i = query + static_cast<std::size_t>(t);
    q[t] = block.queries + i * block.query_stride;
    seen[t] = block.seen[i];
    if (seen[t].end > last) last = seen[t].end;
  }
  for (std::size_t at = 0; at < last; at += 16 * kColumns) {
    for (int t = 0; t < kTokens; ++t) out[t] = scores[t] + at;
    score_keys<V, Load, kTokens, kColumns>(out, q, block, at);
  }
  softmax_tile<V, kTokens>(scores, seen, block.scale, block.partials + query * block.partial_stride, block.partial_stride);
  weigh_all_values<V, Load, kTokens>(scores, seen, block, query);
}

template <class V, class Load>
void attend_queries(const AttentionBlock& block) {
  std::size_t i = 0;
  for (; i + V::kTileQueries <= block.query_count; i += V::kTileQueries) attend_tile<V, Load, V::kTileQueries>(block, i);
  if constexpr (V::kTileQueries > 6) {
    for (; i + 6 <= block.query_count; i += 6) attend_tile<V, Load, 6>(block, i);
  }
  if constexpr (V::kTileQueries > 3) {
    for (; i + 3 <= block.query_count; i += 3) attend_tile<V, Load, 3>(block, i);
    for (; i + 2 <= block.query_count; i += 2) attend_tile<V, Load, 2>(block, i);
  }
  for (; i < block.query_count; ++i) attend_tile<V, Load, 1>(block, i);
}

template <class V>
void attend(const AttentionBlock& block) {
  switch (block.type) {
    case DType::f32: return attend_queries<V, F32<V>>(block);
    case DType::f16: return attend_queries<V, F16<V>>(block);
    default: return attend_queries<V, Q8Cache<V>>(block);
  }
}

// totals ← totals and one more partial result of each:  m = max(m₁, m₂)   l = l₁·e^(m₁-m) + l₂·e^(m₂-m)   a likewise.
template <class V>
void combine(float* totals, const float* partials, std::size_t count, std::size_t stride, std::size_t head_dim) {
  for (std::size_t first = 0; first < count; first += 16) {
    const std::size_t some = lanes_left(count, first);
    float old_share[16] = {}, new_share[16] = {}, old_sums[16] = {}, sums[16] = {};  // a query a lane
    for (std::size_t i = 0; i < some; ++i) {
      float* const total = totals + (first + i) * stride;
      const float* const partial = partials + (first + i) * stride;
      const float max = total[0] > partial[0] ? total[0] : partial[0];
      old_share[i] = total[0] - max;
      new_share[i] = partial[0] - max;
      old_sums[i] = total[1];
      sums[i] = partial[1];
      total[0] = max;
    }
    V::store(old_share, exp_below_88<V>(V::load(old_share)));
    V::store(new_share, exp_below_88<V>(V::load(new_share)));
    V::store(sums, V::fma(V::load(sums), V::load(new_share), V::mul(V::load(old_sums), V::load(old_share))));
    for (std::size_t i = 0; i < some; ++i) {
      float* const total = totals + (first + i) * stride;
      total[1] = sums[i];
      float* const a = total + kPartialHead;
      const float* const b = partials + (first + i) * stride + kPartialHead;
      for (std::size_t d = 0; d < head_dim; d += 16) {
        V::store(a + d, V::fma(V::load(b + d), V::broadcast(new_share[i]), V::mul(V::load(a + d), V::broadcast(old_share[i]))));
      }
    }
  }
}

template <class V>
void use_attention(Kernels& k) {
  k.attend = attend<V>;
  k.combine = combine<V>;
}
