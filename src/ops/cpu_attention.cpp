// Keys and values into the cache, and attention over it: tiles of queries against blocks of keys.  Milestones M4, M6.
//
// Heads that share keys and values (grouped queries) go through a block together, and in prefill so do neighbouring
// tokens: each key that is read meets all of them. The results of a query's blocks are combined from left to right,
// whoever computed them:
//
//   prefill:                tile of tokens × head of keys     a thread walks the blocks and combines as it goes
//   decode, long context:   token × head of keys × block      threads share the blocks, and combine those
//                                                               whose turn it is
#include <algorithm>
#include <atomic>
#include <cstring>
#include <limits>

#include "ops/cpu.h"

namespace rung {

namespace {

static_assert(kPieceKeys == kKvBlock);

// The blocks that the sum over a context is made of, the same for every query: pieces of 64 keys at first, so that a
// short context has something for many threads, then four pieces at a time.
struct KeyBlock {
  // of a long block; and so many short ones come first
  static constexpr std::size_t kPieces = kAttentionKeys / kPieceKeys;

  std::size_t index;

  static KeyBlock of(std::size_t key) {
    const std::size_t piece = key / kPieceKeys;
    return {piece < kPieces ? piece : kPieces + piece / kPieces - 1};
  }
  std::size_t first_piece() const { return index < kPieces ? index : kPieces * (index - kPieces + 1); }
  std::size_t pieces() const { return index < kPieces ? 1 : kPieces; }
};

constexpr std::size_t kQueriesAtOnce = 24;  // their queries, scores and sums stay in the first two levels of cache

// Queries of neighbouring tokens of one sequence that share a head of keys and values.
struct QueryGroup {
  const KvCache& cache;
  std::size_t layer;
  std::size_t kv_head;
  std::span<const std::uint32_t> positions;  // of its tokens
  std::size_t heads;                         // queries per token
  const AttentionSettings& settings;

  std::size_t count() const { return positions.size() * heads; }
  std::uint32_t position(std::size_t query) const { return positions[query / heads]; }
  std::size_t start(std::size_t query) const {
    const std::size_t seen = std::size_t{position(query)} + 1;
    return settings.window_tokens != 0 && seen > settings.window_tokens ? seen - settings.window_tokens : 0;
  }
  // The keys of a block that a query sees; none: {0, 0}.
  AttentionBlock::Seen seen(std::size_t query, const KeyBlock& block) const {
    const std::size_t first = block.first_piece() * kPieceKeys, end = first + block.pieces() * kPieceKeys;
    const std::size_t from = std::max(first, start(query)),
                      to = std::min<std::size_t>(end, std::size_t{position(query)} + 1);
    if (from >= to) return {0, 0};
    return {from - first, to - first};
  }
  const std::byte* keys(std::size_t piece) const { return cache.key_block(layer, piece, kv_head); }
};

// partials ← the group's share of one block, of the queries that see it; these are [first, first + the result). `next`:
// keys that are read after it.
std::size_t attend_block(const Kernels& kernels, const QueryGroup& group, const KeyBlock& key_block,
                         const std::byte* next, const float* queries, float* partials, std::size_t& first) {
  AttentionBlock::Seen seen[kQueriesAtOnce];
  std::size_t count = 0;
  first = 0;
  std::size_t seen_from = kAttentionKeys, seen_to = 0;
  for (std::size_t i = 0; i < group.count(); ++i) {  // positions ascend: those that see a block stand together
    const AttentionBlock::Seen some = group.seen(i, key_block);
    if (some.end == 0) {
      if (count == 0) ++first;
    } else {
      seen[count++] = some;
      seen_from = std::min(seen_from, some.first);
      seen_to = std::max(seen_to, some.end);
    }
  }
  if (count == 0) return 0;
  const KvShape& shape = group.cache.shape();
  const std::size_t stride = partial_floats(shape.head_dim);
  AttentionBlock block{
      .pieces = {},
      .next = next,
      .type = shape.dtype,
      .head_dim = shape.head_dim,
      .scale = group.settings.scale,
      .queries = queries + first * shape.head_dim,
      .query_stride = shape.head_dim,
      .seen = seen,
      .query_count = count,
      .partials = partials + first * stride,
      .partial_stride = stride,
  };
  for (std::size_t i = seen_from / kPieceKeys; i * kPieceKeys < seen_to; ++i) {
    const std::size_t piece = key_block.first_piece() + i;
    block.pieces[i] = {
        .keys = group.keys(piece),
        .values = group.cache.value_block(group.layer, piece, group.kv_head),
        .key_scales = group.cache.key_scales(group.layer, piece, group.kv_head),
        .value_scales = group.cache.value_scales(group.layer, piece, group.kv_head),
    };
  }
  kernels.attend(block);
  return count;
}

void clear(float* total, std::size_t head_dim) {
  std::fill_n(total, partial_floats(head_dim), 0.0f);
  total[0] = -std::numeric_limits<float>::infinity();
}

void divide(float* out, const float* total, std::size_t head_dim) {
  const float share = 1.0f / total[1];
  // With 0 added, a sum that is -0 becomes 0, as it does where the first block is combined with nothing.
  for (std::size_t d = 0; d < head_dim; ++d) out[d] = total[kPartialHead + d] * share + 0.0f;
}

// What a group of so many queries needs: the queries, side by side, a block's results and the totals.
std::size_t group_floats(std::size_t queries, std::size_t head_dim) {
  return queries * (head_dim + 2 * partial_floats(head_dim));
}

// out and q: the first query of the group; tokens lie token_stride apart. `scratch`: group_floats.
void attend_group(const Kernels& kernels, const QueryGroup& group, float* out, const float* q, std::size_t token_stride,
                  float* scratch) {
  const std::size_t head_dim = group.cache.shape().head_dim, stride = partial_floats(head_dim), count = group.count();
  float* const queries = scratch;
  float* const partials = queries + count * head_dim;
  float* const totals = partials + count * stride;
  for (std::size_t t = 0; t < group.positions.size(); ++t) {
    std::copy_n(q + t * token_stride, group.heads * head_dim, queries + t * group.heads * head_dim);
  }
  for (std::size_t i = 0; i < count; ++i) clear(totals + i * stride, head_dim);
  const std::size_t last_block = KeyBlock::of(group.positions.back()).index;
  for (std::size_t block = KeyBlock::of(group.start(0)).index; block <= last_block; ++block) {
    std::size_t first = 0;
    const std::byte* const next = block < last_block ? group.keys(KeyBlock{block + 1}.first_piece()) : nullptr;
    const std::size_t some = attend_block(kernels, group, {block}, next, queries, partials, first);
    kernels.combine(totals + first * stride, partials + first * stride, some, stride, head_dim);
  }
  for (std::size_t i = 0; i < count; ++i) {
    divide(out + i / group.heads * token_stride + i % group.heads * head_dim, totals + i * stride, head_dim);
  }
}

// A head's key or value as the cache takes it, in `scratch` [2·head_dim] where it is rounded.
RoundedHead rounded(const Kernels& kernels, const KvShape& shape, Tensor<const float, HeadDim> x, float* scratch) {
  auto* const values = reinterpret_cast<std::byte*>(scratch);
  if (shape.dtype == DType::f32) return {reinterpret_cast<const std::byte*>(x.data())};
  if (shape.dtype == DType::f16) {
    kernels.round_to_f16(reinterpret_cast<std::uint16_t*>(values), x.data(), x.size());
    return {values};
  }
  auto* const scales = reinterpret_cast<f16*>(scratch + x.size());
  kernels.round_to_q8(reinterpret_cast<std::int8_t*>(values), &scales->bits, x.data(), x.size());
  return {values, scales};
}

}  // namespace

// Tiles of tokens × heads of keys, so that a tile's lines of the cache stay in the first-level cache; one token's heads
// are shared, too.
void CpuOps::do_store_kv(const BatchRows& rows, std::size_t layer, Tensor<const float, Tokens, KvHeads, HeadDim> k,
                         Tensor<const float, Tokens, KvHeads, HeadDim> v) {
  constexpr std::size_t kTile = 32, kExpected = 8;
  const std::size_t kv_heads = k.extent<KvHeads>(), head_dim = k.extent<HeadDim>(),
                    tiles = (rows.size() + kTile - 1) / kTile;
  // a store into a line takes as long as several values elsewhere
  const std::size_t lines = 8 * head_dim * std::min(rows.size(), kTile);
  const auto tokens_of = [&](std::size_t i) {
    const std::size_t first = i / kv_heads * kTile;
    return RowRange{first, std::min(rows.size(), first + kTile)};
  };
  const auto prefetch = [&](std::size_t i) {
    const auto [first, last] = tokens_of(i);
    for (std::size_t t = first; t < last; ++t) {  // neighbours' keys lie in the same lines, up to where lines begin
      const bool lines_begin = rows.positions[t] * rows.caches[t]->shape().value_bytes() % 64 == 0;
      if (t == first || lines_begin || rows.caches[t] != rows.caches[t - 1]) {
        rows.caches[t]->expect_store(layer, rows.positions[t], i % kv_heads);
      }
    }
  };
  scratch_.make(team_.size(), 4 * head_dim);
  share_rows(tiles * kv_heads, lines, [&](std::size_t begin, std::size_t end, std::size_t member) {
    float* const scratch = scratch_.of(member);
    for (std::size_t i = begin; i < std::min(end, begin + kExpected); ++i) prefetch(i);
    for (std::size_t i = begin; i < end; ++i) {
      if (i + kExpected < end) prefetch(i + kExpected);
      const auto [first, last] = tokens_of(i);
      const std::size_t h = i % kv_heads;
      for (std::size_t t = first; t < last; ++t) {
        KvCache& cache = *rows.caches[t];
        cache.store_rounded(layer, rows.positions[t], h, rounded(kernels_, cache.shape(), k[t][h], scratch),
                            rounded(kernels_, cache.shape(), v[t][h], scratch + 2 * head_dim));
      }
    }
  });
}

void CpuOps::do_attention(Tensor<float, Tokens, Heads, HeadDim> out, Tensor<const float, Tokens, Heads, HeadDim> q,
                          const BatchRows& rows, std::size_t layer, const AttentionSettings& settings) {
  if (rows.size() == 0) return;
  const KvShape& shape = rows.caches[0]->shape();
  const std::size_t heads = q.extent<Heads>() / shape.kv_heads, head_dim = shape.head_dim;
  if (rows.size() == 1 && team_.size() > 1 && rows.positions[0] >= kKvBlock && heads <= kQueriesAtOnce) {
    attend_long(out[0], q[0], {*rows.caches[0], layer, settings}, rows.positions);
    return;
  }
  // Tiles of tokens: neighbours of one sequence, so many that their heads are kQueriesAtOnce queries.
  const std::size_t heads_at_once = std::min(heads, kQueriesAtOnce),
                    tile = std::max<std::size_t>(1, kQueriesAtOnce / heads);
  tiles_.clear();
  for (std::size_t t = 0; t < rows.size();) {
    std::size_t end = t + 1;
    while (end < rows.size() && end - t < tile && rows.caches[end] == rows.caches[t]) ++end;
    tiles_.push_back({t, end});
    t = end;
  }
  const std::size_t token_stride = q.extent<Heads>() * head_dim;
  const std::size_t keys = std::size_t{rows.positions.back()} + 1;
  const std::size_t work = heads * std::min(tile, rows.size()) * keys * head_dim / 4;
  scratch_.make(team_.size(), group_floats(heads_at_once * tile, head_dim));
  share_rows(tiles_.size() * shape.kv_heads, work, [&](std::size_t begin, std::size_t end, std::size_t member) {
    for (std::size_t i = begin; i < end; ++i) {
      // Later tokens see more keys: taken from both ends in turn, the tiles of a range weigh about the same.
      const std::size_t turn = i / shape.kv_heads, kv_head = i % shape.kv_heads;
      const auto [first, last] = tiles_[turn % 2 == 0 ? turn / 2 : tiles_.size() - 1 - turn / 2];
      for (std::size_t h = 0; h < heads; h += heads_at_once) {
        const std::size_t offset = first * token_stride + (kv_head * heads + h) * head_dim;
        attend_group(kernels_,
                     {*rows.caches[first], layer, kv_head, rows.positions.subspan(first, last - first),
                      std::min(heads_at_once, heads - h), settings},
                     out.data() + offset, q.data() + offset, token_stride, scratch_.of(member));
      }
    }
  });
}

// Head of keys after head of keys, block after block. A thread whose block is the next of its head to be combined adds
// it to the totals at once; the others' results are kept, and combined when all are there. So where there are no more
// threads than heads, little goes from core to core.
void CpuOps::attend_long(Tensor<float, Heads, HeadDim> out, Tensor<const float, Heads, HeadDim> q,
                         const LongContext& context, std::span<const std::uint32_t> position) {
  const KvShape& shape = context.cache.shape();
  const std::size_t heads = q.extent<Heads>() / shape.kv_heads, head_dim = shape.head_dim,
                    stride = partial_floats(head_dim);
  const auto group = [&](std::size_t kv_head) {
    return QueryGroup{context.cache, context.layer, kv_head, position, heads, context.settings};
  };
  const std::size_t first_block = KeyBlock::of(group(0).start(0)).index,
                    blocks = KeyBlock::of(position[0]).index + 1 - first_block;
  const std::size_t parts = shape.kv_heads * blocks, of_block = heads * stride;
  if (partials_.size() < parts * of_block) partials_ = Buffer<float>(2 * parts * of_block);
  if (combined_.size() < shape.kv_heads) combined_ = std::vector<Combined>(shape.kv_heads);
  // What stands in combined_ from earlier calls is below: so nothing has to be written there before the threads begin.
  const std::uint64_t none = ++long_attentions_ << 32;
  const auto results_of = [&](std::size_t kv_head, std::size_t b) {
    return partials_.data() + (kv_head * blocks + b) * of_block;
  };
  const auto keys = [&](std::size_t part) {  // that are seen
    const QueryGroup of_head = group(part / blocks);
    const KeyBlock block{first_block + part % blocks};
    return of_head.keys(std::max(block.first_piece(), of_head.start(0) / kPieceKeys));
  };
  scratch_.make(team_.size(), of_block);
  team_.run(parts, [&](std::size_t begin, std::size_t end, std::size_t member) {
    for (std::size_t i = begin; i < end; ++i) {
      const std::size_t kv_head = i / blocks, b = i % blocks;
      std::atomic<std::uint64_t>& combined = combined_[kv_head].blocks;
      const bool at_once = b > 0 && combined.load(std::memory_order_acquire) == none + b;
      // the first block's are the totals
      float* const results = at_once ? scratch_.of(member) : results_of(kv_head, b);
      // What this thread goes on with, unless another helps it.
      const std::byte* const next = i + 1 < parts ? keys(i + 1) : nullptr;
      std::size_t first = 0;
      attend_block(kernels_, group(kv_head), {first_block + b}, next, q[kv_head * heads].data(), results, first);
      if (at_once) kernels_.combine(results_of(kv_head, 0), results, heads, stride, head_dim);
      if (at_once || b == 0) combined.store(none + b + 1, std::memory_order_release);
    }
  });
  share_rows(q.extent<Heads>(), blocks * stride, [&](std::size_t begin, std::size_t end) {
    for (std::size_t h = begin; h < end; ++h) {
      const std::size_t kv_head = h / heads, row = h % heads * stride;
      float* const totals = results_of(kv_head, 0) + row;
      // relaxed: between the two rounds lies what run() waits for.
      const std::uint64_t done = combined_[kv_head].blocks.load(std::memory_order_relaxed) - none;
      for (auto b = static_cast<std::size_t>(done); b < blocks; ++b) {
        kernels_.combine(totals, results_of(kv_head, b) + row, 1, stride, head_dim);
      }
      divide(out[h].data(), totals, head_dim);
    }
  });
}

}  // namespace rung
