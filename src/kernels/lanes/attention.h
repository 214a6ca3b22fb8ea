// One block of keys and values × some queries → their shares of attention.  Milestones M4, M6.
//
// Included by each instruction set, inside its target region and namespace, after linear.h and elementwise.h.
//
// The cache keeps the keys of 64 positions as [head_dim, 64] and their values as [64, head_dim], so both products run
// along lanes and nothing is added across them:
//
//   s[t, j] = scale·Σ_d q[t,d]·K[d, j]       16 keys a register: a key a lane
//   m[t] = max_j s      p[t,j] = e^(s - m)      l[t] = Σ_j p
//   a[t, d] = Σ_j p[t,j]·V[j, d]             16 dimensions a register
//
// These are the partial results that are combined from left to right. A block is up to four such pieces: the fewer
// blocks, the less there is to combine, and the longer a softmax, the less of it is spent on waiting for one maximum. A
// key that a query does not see has no part in its sums, not even as 0·v: what stands there may be no number. A Q8_0
// cache has a scale for every 32 dimensions of a key: sums of 32 are taken, then scaled; and of a value: it goes into
// p. (Milakov & Gimelshein 2018, arXiv:1805.02867; tiles of queries against blocks of keys: Dao et al. 2022,
// arXiv:2205.14135.)
#pragma once

// Rows of floats, a query each: `values` is the first one's.
template <class T>
struct QueryRows {
  T* values;
  std::size_t stride;

  T* row(int t) const { return values + static_cast<std::size_t>(t) * stride; }
  QueryRows from(std::size_t column) const { return {values + column, stride}; }
};

// The values that kTokens queries have at one place, which moves on: an address for four of them. The compiler must not
// know that these have anything to do with each other, or it would keep twelve, for which there are no registers.
template <int kTokens>
class QueryColumn {
 public:
  QueryColumn(const QueryRows<const float>& rows, std::size_t at) : stride_(rows.stride) {
    for (int i = 0; i < kAddresses; ++i) {
      four_[i] = rows.row(4 * i) + at;
      asm("" : "+r"(four_[i]));
    }
  }
  float operator[](int t) const { return four_[t / 4][static_cast<std::size_t>(t % 4) * stride_]; }
  void next() {
    for (const float*& address : four_) ++address;
  }
  // The compiler must read the values again instead of holding them in registers.
  void forget() {
    for (const float*& address : four_) asm("" : "+r"(address));
  }

 private:
  static constexpr int kAddresses = (kTokens + 3) / 4;
  const float* four_[kAddresses];
  std::size_t stride_;
};

// A decode step's queries, those of the heads that share keys, wait for memory: what comes next, which is as large as
// what is at hand, is asked for meanwhile, into the second-level cache; and what lies a kilobyte ahead, a second time,
// into the first (linear.h); AMD's processors do better without the latter. The largest tiles are a prompt's, whose
// keys are in a cache.
template <class V>
inline constexpr int kDecodeQueries = V::kTileQueries > 8 ? 8 : 3;

// `next` lies anywhere: in the arithmetic of addresses, which wraps around, it is so many bytes ahead.
inline Ahead ahead_to(const std::byte* next, const std::byte* from) {
  const std::uintptr_t distance =
      next == nullptr ? 0 : reinterpret_cast<std::uintptr_t>(next) - reinterpret_cast<std::uintptr_t>(from);
  return {distance, is_amd_processor() ? std::size_t{0} : 1024};
}

// Whether a tile's sums, all its columns and a value stay in registers together, two for 16 lanes; else one column
// after the other passes by.
template <class V, int kTokens, int kColumns>
inline constexpr bool kFitsRegisters = !V::kFewRegisters || 2 * (kTokens * kColumns + kColumns) + 1 <= 16;

// out[t][16·c + lane] += Σ_k a[t][k]·b[k][16·c + lane] over [k, k_end), one after the other.
template <class V, class Load, int kTokens, int kColumns>
inline void small_product(const QueryRows<float>& out, const QueryRows<const float>& a, std::size_t k,
                          std::size_t k_end, const std::byte* b, std::size_t b_stride, const Ahead& ahead) {
  typename V::Floats sums[kTokens][kColumns];
  RUNG_UNROLL
  for (int t = 0; t < kTokens; ++t) {
    RUNG_UNROLL
    for (int c = 0; c < kColumns; ++c) sums[t][c] = V::load(out.row(t) + 16 * c);
  }
  b += k * b_stride;
  for (QueryColumn<kTokens> values(a, k); k < k_end; ++k, values.next(), b += b_stride) {
    if constexpr (kTokens <= kDecodeQueries<V>) {
      for (std::size_t line = 0; line < kColumns * Load::kBytes; line += 64) prefetch_line(b + line, ahead);
    }
    if constexpr (kFitsRegisters<V, kTokens, kColumns>) {
      typename V::Floats row[kColumns];
      RUNG_UNROLL
      for (int c = 0; c < kColumns; ++c) row[c] = Load::column(b + static_cast<std::size_t>(c) * Load::kBytes);
      RUNG_UNROLL
      for (int t = 0; t < kTokens; ++t) {
        const typename V::Floats value = V::broadcast(values[t]);
        RUNG_UNROLL
        for (int c = 0; c < kColumns; ++c) sums[t][c] = V::fma(value, row[c], sums[t][c]);
      }
    } else {
      RUNG_UNROLL
      for (int c = 0; c < kColumns; ++c) {
        const typename V::Floats column = Load::column(b + static_cast<std::size_t>(c) * Load::kBytes);
        RUNG_UNROLL
        for (int t = 0; t < kTokens; ++t) sums[t][c] = V::fma(V::broadcast(values[t]), column, sums[t][c]);
        values.forget();  // or they would be kept for the next column
      }
    }
  }
  RUNG_UNROLL
  for (int t = 0; t < kTokens; ++t) {
    RUNG_UNROLL
    for (int c = 0; c < kColumns; ++c) V::store(out.row(t) + 16 * c, sums[t][c]);
  }
}

// Of one query, for the few keys at both ends that not all of a tile see: a function of its own, not a copy in each
// tile, of which there are many.
template <class V, class Load, int kColumns>
[[gnu::noinline]] void product_of_one(float* out, const float* a, std::size_t k, std::size_t k_end, const std::byte* b,
                                      std::size_t b_stride, const Ahead& ahead) {
  small_product<V, Load, 1, kColumns>({out, 0}, {a, 0}, k, k_end, b, b_stride, ahead);
}

template <class V, int kTokens, int kColumns>
inline void clear(const QueryRows<float>& out) {
  for (int t = 0; t < kTokens; ++t) {
    for (int c = 0; c < kColumns; ++c) V::store(out.row(t) + 16 * c, V::broadcast(0.0f));
  }
}

// Scores of a tile's queries for the keys [begin, end), of whole pieces, → e^(scale·s - max) in place, with their
// maxima and sums. Keys that a query does not see get 0. Step by step for all queries: one query's steps wait for each
// other, another's do not.
template <class V, int kTokens>
inline void softmax_tile(const QueryRows<float>& scores, const AttentionBlock::Seen (&seen)[kTokens], std::size_t begin,
                         std::size_t end, float scale, float* partials, std::size_t stride) {
  typename V::Floats largest[kTokens], sums[kTokens];
  for (std::size_t t = 0; t < kTokens; ++t) {
    float* const row = scores.row(static_cast<int>(t));
    for (std::size_t j = begin; j < seen[t].first; ++j) row[j] = -__builtin_inff();
    for (std::size_t j = seen[t].end; j < end; ++j) row[j] = -__builtin_inff();
    largest[t] = V::broadcast(-__builtin_inff());
    for (float* s = row + begin; s < row + end; s += kPieceKeys) {
      RUNG_UNROLL
      for (std::size_t i = 0; i < kPieceKeys; i += 16) {
        const typename V::Floats scaled = V::mul(V::load(s + i), V::broadcast(scale));
        largest[t] = V::max(largest[t], scaled);
        V::store(s + i, scaled);
      }
    }
  }
  for (std::size_t t = 0; t < kTokens; ++t) partials[t * stride] = V::largest(largest[t]);
  // s - max ≤ 0, but where there is a NaN: then the sum is one, whatever else is in it
  for (std::size_t t = 0; t < kTokens; ++t) {
    sums[t] = V::broadcast(0.0f);
    float* const row = scores.row(static_cast<int>(t));
    for (float* s = row + begin; s < row + end; s += kPieceKeys) {
      RUNG_UNROLL
      for (std::size_t i = 0; i < kPieceKeys; i += 16) {
        const typename V::Floats e = exp_below_88<V>(V::sub(V::load(s + i), V::broadcast(partials[t * stride])));
        V::store(s + i, e);
        sums[t] = V::add(sums[t], e);
      }
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
inline typename V::Floats load_scales(const f16* scales) {
  return V::load_f16(reinterpret_cast<const std::byte*>(scales));
}

// How many registers of columns a tile of so many queries takes: of few queries more, to hide the latency of their
// sums, but no more sums than the largest tile has.
template <class V, int kTokens>
inline constexpr int kColumnsOfTile =
    kTokens * V::kFewQueriesColumns <= V::kTileQueries * V::kTileColumns ? V::kFewQueriesColumns : V::kTileColumns;

using Piece = AttentionBlock::Piece;

// out[t][16·c + lane] = Σ_d q[t][d]·K[d][at + 16·c + lane] of a piece. `next`: what is read after its keys.
template <class V, class Load, int kTokens, int kColumns>
inline void score_keys(const QueryRows<float>& out, const QueryRows<const float>& q, const Piece& piece,
                       const std::byte* next, std::size_t head_dim, std::size_t at) {
  constexpr std::size_t kStride = kPieceKeys / 16 * Load::kBytes;
  const std::byte* const keys = piece.keys + at / 16 * Load::kBytes;
  const Ahead ahead = ahead_to(next, piece.keys);
  clear<V, kTokens, kColumns>(out);
  if constexpr (!kHasScales<Load>) {
    small_product<V, Load, kTokens, kColumns>(out, q, 0, head_dim, keys, kStride, ahead);
  } else {
    alignas(64) float memory[kTokens * 16 * kColumns];
    const QueryRows<float> sums = {memory, 16 * kColumns};
    for (std::size_t d = 0; d < head_dim; d += 32) {
      const std::size_t end = d + 32 < head_dim ? d + 32 : head_dim;
      clear<V, kTokens, kColumns>(sums);
      small_product<V, Load, kTokens, kColumns>(sums, q, d, end, keys, kStride, ahead);
      for (int c = 0; c < kColumns; ++c) {
        const typename V::Floats scales =
            load_scales<V>(piece.key_scales + d / 32 * kPieceKeys + at + 16 * static_cast<std::size_t>(c));
        for (int t = 0; t < kTokens; ++t) {
          float* const to = out.row(t) + 16 * c;
          V::store(to, V::fma(V::load(sums.row(t) + 16 * c), scales, V::load(to)));
        }
      }
    }
  }
}

// Which of a piece's keys a tile's queries see: each of them, and all together.
template <int kTokens>
struct SeenOfPiece {
  std::size_t first[kTokens], end[kTokens];
  std::size_t all_first = 0, all_end = kPieceKeys;

  SeenOfPiece(const AttentionBlock::Seen (&seen)[kTokens], std::size_t piece) {
    const std::size_t begin = piece * kPieceKeys;
    const auto within = [&](std::size_t key) {
      return key < begin ? 0 : key - begin < kPieceKeys ? key - begin : kPieceKeys;
    };
    for (int t = 0; t < kTokens; ++t) {
      first[t] = within(seen[t].first);
      end[t] = within(seen[t].end);
      if (first[t] > all_first) all_first = first[t];
      if (end[t] < all_end) all_end = end[t];
    }
    if (all_end < all_first) all_end = all_first;
  }
};

// out[t][16·c + lane] += Σ_j p[t][j]·V[j][at + 16·c + lane] over a piece's keys that t sees. Those that the whole tile
// sees go through together; at both ends, where some see what others do not, each query goes by itself.
template <class V, class Load, int kTokens, int kColumns>
inline void weigh_values(const QueryRows<float>& out, const QueryRows<const float>& p, const SeenOfPiece<kTokens>& seen,
                         const Piece& piece, const Ahead& ahead, std::size_t head_dim, std::size_t at) {
  const std::size_t stride = head_dim * Load::kBytes / 16;
  const std::byte* const values = piece.values + at / 16 * Load::kBytes;
  const auto alone = [&](int t, std::size_t first, std::size_t end) {
    if (first < end) {
      product_of_one<V, Load, kColumns>(out.row(t), p.row(t), first, end, values, stride, ahead);
    }
  };
  for (int t = 0; t < kTokens; ++t) {
    alone(t, seen.first[t], seen.end[t] < seen.all_first ? seen.end[t] : seen.all_first);
  }
  small_product<V, Load, kTokens, kColumns>(out, p, seen.all_first, seen.all_end, values, stride, ahead);
  for (int t = 0; t < kTokens; ++t) alone(t, seen.first[t] > seen.all_end ? seen.first[t] : seen.all_end, seen.end[t]);
}

// out[t] += a piece's values of all dimensions, weighed by p[t].
template <class V, class Load, int kTokens>
inline void weigh_all_values(const QueryRows<float>& out, const QueryRows<const float>& p,
                             const SeenOfPiece<kTokens>& seen, const Piece& piece, const Ahead& ahead,
                             std::size_t head_dim) {
  constexpr int kFitting = kColumnsOfTile<V, kTokens>;
  constexpr int kColumns = kHasScales<Load> && kFitting > 2 ? 2 : kFitting;  // not more than have a scale in common
  alignas(64) float memory[kTokens * kPieceKeys];
  const QueryRows<float> scaled = {memory, kPieceKeys};
  const QueryRows<const float> weights = kHasScales<Load> ? QueryRows<const float>{memory, kPieceKeys} : p;
  for (std::size_t d = 0; d < head_dim; d += 16 * kColumns) {
    if constexpr (kHasScales<Load>) {
      for (std::size_t j = 0; j < kPieceKeys; j += 16) {
        const typename V::Floats scales = load_scales<V>(piece.value_scales + d / 32 * kPieceKeys + j);
        for (int t = 0; t < kTokens; ++t) V::store(scaled.row(t) + j, V::mul(V::load(p.row(t) + j), scales));
      }
    }
    if (d + 16 * kColumns <= head_dim) {
      weigh_values<V, Load, kTokens, kColumns>(out.from(d), weights, seen, piece, ahead, head_dim, d);
      continue;
    }
    for (std::size_t at = d; at < head_dim; at += 16) {
      weigh_values<V, Load, kTokens, 1>(out.from(at), weights, seen, piece, ahead, head_dim, at);
    }
  }
}

template <class V, class Load, int kTokens>
void attend_tile(const AttentionBlock& block, std::size_t query) {
  constexpr int kColumns = kColumnsOfTile<V, kTokens>;
  static_assert(kPieceKeys % (16 * kColumns) == 0);
  alignas(64) float memory[kTokens * kAttentionKeys];
  const QueryRows<float> scores = {memory, kAttentionKeys};
  AttentionBlock::Seen seen[kTokens];
  std::size_t first = kAttentionKeys, last = 0;
  for (std::size_t t = 0; t < kTokens; ++t) {
    seen[t] = block.seen[query + t];
    if (seen[t].first < first) first = seen[t].first;
    if (seen[t].end > last) last = seen[t].end;
  }
  const std::size_t first_piece = first / kPieceKeys, end_piece = (last + kPieceKeys - 1) / kPieceKeys;
  const QueryRows<const float> q = {block.queries + query * block.query_stride, block.query_stride};
  for (std::size_t i = first_piece; i < end_piece; ++i) {
    const std::byte* const next = i + 1 < end_piece ? block.pieces[i + 1].keys : block.pieces[first_piece].values;
    for (std::size_t at = 0; at < kPieceKeys && i * kPieceKeys + at < last; at += 16 * kColumns) {
      score_keys<V, Load, kTokens, kColumns>(scores.from(i * kPieceKeys + at), q, block.pieces[i], next, block.head_dim,
                                             at);
    }
  }
  float* const partials = block.partials + query * block.partial_stride;
  softmax_tile<V, kTokens>(scores, seen, kPieceKeys * first_piece, kPieceKeys * end_piece, block.scale, partials,
                           block.partial_stride);
  const QueryRows<float> out = {partials + kPartialHead, block.partial_stride};
  for (std::size_t d = 0; d < block.head_dim; d += 16) clear<V, kTokens, 1>(out.from(d));
  for (std::size_t i = first_piece; i < end_piece; ++i) {
    const std::byte* const next = i + 1 < end_piece ? block.pieces[i + 1].values : block.next;
    weigh_all_values<V, Load, kTokens>(out, {memory + i * kPieceKeys, kAttentionKeys}, SeenOfPiece<kTokens>(seen, i),
                                       block.pieces[i], ahead_to(next, block.pieces[i].values), block.head_dim);
  }
}

// The queries from `query` on, fewer than a largest tile: in one tile, if it can be, because each tile reads the keys
// anew, and few queries wait for them. So there is a tile for every number up to 8 (of sets with few registers: below
// their largest), which is as many query heads as most models have to a head of keys.
template <class V, class Load, int kTokens>
void attend_rest(const AttentionBlock& block, std::size_t query) {
  if (query + kTokens <= block.query_count) {
    attend_tile<V, Load, kTokens>(block, query);
    query += kTokens;
  }
  if constexpr (kTokens > 1) attend_rest<V, Load, kTokens - 1>(block, query);
}

template <class V, class Load>
void attend_queries(const AttentionBlock& block) {
  std::size_t query = 0;
  for (; query + V::kTileQueries <= block.query_count; query += V::kTileQueries) {
    attend_tile<V, Load, V::kTileQueries>(block, query);
  }
  constexpr int kMost = V::kTileQueries > 8 ? 8 : V::kTileQueries - 1;
  if constexpr (kMost > 0) attend_rest<V, Load, kMost>(block, query);
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
        V::store(a + d, V::fma(V::load(b + d), V::broadcast(new_share[i]),
                               V::mul(V::load(a + d), V::broadcast(old_share[i]))));
      }
    }
  }
}

template <class V>
void use_attention(Kernels& k) {
  k.attend = attend<V>;
  k.combine = combine<V>;
}
