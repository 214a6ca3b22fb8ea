// Attention over the cache (store.metal: how it lies).  Milestone M7.

// Two neighbouring values at index `at` of a head in a block: of Q8_0 with the scales `scale` of both.
inline float2 two_values(device const uchar* head, uint at) {
  if (kCache == rung::gpu::kF32) {
    device const float* const p = reinterpret_cast<device const float*>(head) + at;
    return float2(p[0], p[1]);
  }
  if (kCache == rung::gpu::kF16) {
    device const half* const p = reinterpret_cast<device const half*>(head) + at;
    return float2(float(p[0]), float(p[1]));
  }
  device const char* const p = reinterpret_cast<device const char*>(head) + at;
  return float2(float(p[0]), float(p[1]));
}
inline float scale_at(device const uchar* head, uint head_dim, uint d, uint position) {
  device const half* const scales = reinterpret_cast<device const half*>(head + rung::gpu::kBlock * head_dim);
  return float(scales[d / 32 * rung::gpu::kBlock + position]);
}
// K[d, position], K[d, position + 1]; V[position, d], V[position, d + 1].
inline float2 two_keys(device const uchar* head, uint head_dim, uint d, uint position) {
  const float2 two = two_values(head, d * rung::gpu::kBlock + position);
  if (kCache != rung::gpu::kQ8_0) return two;
  return two * float2(scale_at(head, head_dim, d, position), scale_at(head, head_dim, d, position + 1));
}
inline float2 two_dimensions(device const uchar* head, uint head_dim, uint d, uint position) {
  const float2 two = two_values(head, position * head_dim + d);
  if (kCache != rung::gpu::kQ8_0) return two;
  return two * float2(scale_at(head, head_dim, d, position));
}

// out[t,h] = Σ_j softmax_j(scale·q[t,h]·k[j,g])·v[j,g]   over the positions j that row t sees.
//
// A tile is eight rows that look at the same keys: heads of one group, neighbouring tokens (AttentionTile). Both
// products are products of 8 × 8 matrices, and the scores come out where the next product wants them:
//
//                    64 positions of a block                        head_dim
//   8 rows  q  ·  K [head_dim, 64]  =  s [8, 64]    e^(s − m)  ·  V [64, head_dim]  =  a [8, head_dim]
//
//   lane l holds two neighbouring scores of each 8 × 8: with the three other lanes of its row it finds m and Σ.
//
// Of a block come m, l = Σ e^(s_j − m) and a; two results are combined as in ReferenceOps::attend, from left to right:
//
//   few rows   a SIMD group a block, results to memory (attention_blocks), then one thread a value goes through them
//              (attention_combine): a long context has enough blocks for the whole GPU
//   many       a SIMD group a tile, block after block (attention)
//
// The arithmetic of a row is the same in both, and knows nothing of the other seven: so prefill, decode and every batch
// give the same bits. CPU twin: ReferenceOps::do_attention.
struct Row {
  bool there;
  uint token, head;    // of q and out
  uint first, end;     // positions that it sees
};

inline Row row_of(constant rung::gpu::AttentionArgs& args, rung::gpu::AttentionTile tile, device const uint* positions,
                  uint kv_head, ushort r) {
  const uint group = args.heads / args.kv_heads, pair = tile.first_pair + r;
  Row row;
  row.there = pair < tile.end_pair;
  row.token = tile.first_token + (row.there ? pair / group : 0);
  row.head = kv_head * group + pair % group;
  row.end = positions[row.token] + 1;
  row.first = args.window_tokens != 0 && row.end > args.window_tokens ? row.end - args.window_tokens : 0;
  return row;
}

// The sum, or the greatest, of what the four lanes of a row hold: they differ in bits 0 and 3 of their number.
inline float sum_of_row(float x) {
  x += simd_shuffle_xor(x, 1);
  return x + simd_shuffle_xor(x, 8);
}
inline float max_of_row(float x) {
  x = max(x, simd_shuffle_xor(x, 1));
  return max(x, simd_shuffle_xor(x, 8));
}

struct BlockResult {
  float greatest, sum;
};

// s = scale·q·K, then e^(s − m), 0 where the row does not see.
inline BlockResult weigh_block(thread simdgroup_float8x8 (&weights)[8], constant rung::gpu::AttentionArgs& args,
                               Row row, device const float* q, device const uchar* keys, uint block, ushort lane) {
  const ushort r = matrix_row(lane), c = matrix_column(lane);
  device const float* const query = q + (ulong(row.token) * args.heads + row.head) * args.head_dim;
  for (ushort j = 0; j < 8; ++j) weights[j] = zero_matrix();
  for (uint d = 0; d < args.head_dim; d += 8) {
    simdgroup_float8x8 a, b;
    const bool has_query = row.there && d + c < args.head_dim, has_key = d + r < args.head_dim;
    set_elements(a, float2(has_query ? query[d + c] : 0.0f, has_query ? query[d + c + 1] : 0.0f));
    for (ushort j = 0; j < 8; ++j) {
      set_elements(b, has_key ? two_keys(keys, args.head_dim, d + r, 8 * j + c) : float2(0.0f));
      simdgroup_multiply_accumulate(weights[j], a, b, weights[j]);
    }
  }
  float scores[16];
  float greatest = -INFINITY;
  for (ushort j = 0; j < 8; ++j) {
    const float2 two = elements(weights[j]);
    for (ushort i = 0; i < 2; ++i) {
      const uint position = block * rung::gpu::kBlock + 8 * j + c + i;
      const bool sees = row.there && position >= row.first && position < row.end;
      scores[2 * j + i] = sees ? args.scale * two[i] : -INFINITY;
      greatest = max(greatest, scores[2 * j + i]);
    }
  }
  greatest = max_of_row(greatest);
  float sum = 0;
  for (ushort j = 0; j < 8; ++j) {
    float2 two;
    for (ushort i = 0; i < 2; ++i) {
      const float score = scores[2 * j + i];
      two[i] = score == -INFINITY ? 0.0f : precise::exp(score - greatest);
      sum += two[i];
    }
    set_elements(weights[j], two);
  }
  return BlockResult{greatest, sum_of_row(sum)};
}

// Two columns, d and d + 1 with d = first_d + matrix_column, of a row of e^(s − m)·V.  `count` positions of the block
// have ever been written; what lies behind them may be anything, and 0·∞ is no number.
inline float2 add_values(thread simdgroup_float8x8 (&weights)[8], constant rung::gpu::AttentionArgs& args,
                         device const uchar* values, uint first_d, uint count, ushort lane) {
  const uint r = matrix_row(lane), d = first_d + matrix_column(lane);
  simdgroup_float8x8 sum = zero_matrix();
  for (ushort j = 0; j < 8; ++j) {
    simdgroup_float8x8 b;
    const bool there = 8 * j + r < count && d < args.head_dim;
    set_elements(b, there ? two_dimensions(values, args.head_dim, d, 8 * j + r) : float2(0.0f));
    simdgroup_multiply_accumulate(sum, weights[j], b, sum);
  }
  return elements(sum);
}

// What the result so far and the next block's are multiplied by, when they are brought to the greater m.
struct Shares {
  float greatest, old, next;
};
inline Shares shares(float greatest, float of_block) {
  Shares s;
  s.greatest = max(greatest, of_block);
  s.old = greatest == -INFINITY ? 0.0f : precise::exp(greatest - s.greatest);
  s.next = of_block == -INFINITY ? 0.0f : precise::exp(of_block - s.greatest);
  return s;
}
// Written as an fma, so that no compiler rounds it one way here and another there.
inline float combined(float x, float next, Shares s) { return fma(x, s.old, next * s.next); }

inline device const uchar* keys_of(constant rung::gpu::AttentionArgs& args, device const ulong* blocks,
                                   rung::gpu::AttentionTile tile, uint block, uint kv_head) {
  return reinterpret_cast<device const uchar*>(blocks[tile.blocks_at + block]) + args.layer_bytes +
         2 * kv_head * args.head_bytes;
}
// Of a block's positions, those that the tile's last row has come to.
inline uint written(rung::gpu::AttentionTile tile, constant rung::gpu::AttentionArgs& args,
                    device const uint* positions, uint block) {
  const uint group = args.heads / args.kv_heads;
  const uint last = positions[tile.first_token + (tile.end_pair - 1) / group];
  return min(last + 1 - block * rung::gpu::kBlock, rung::gpu::kBlock);
}

// grid [tiles, kv_heads], a SIMD group each. room: [8, head_dim], the result so far, where no registers would do.
[[max_total_threads_per_threadgroup(32)]] kernel void attention(
    constant rung::gpu::AttentionArgs& args [[buffer(0)]], device float* out [[buffer(1)]],
    device const float* q [[buffer(2)]], device const uint* positions [[buffer(3)]],
    device const ulong* blocks [[buffer(4)]], device const rung::gpu::AttentionTile* tiles [[buffer(5)]],
    threadgroup float2* room [[threadgroup(0)]], uint2 group [[threadgroup_position_in_grid]],
    ushort lane [[thread_index_in_simdgroup]]) {
  const rung::gpu::AttentionTile tile = tiles[group.x];
  const ushort r = matrix_row(lane), c = matrix_column(lane);
  const Row row = row_of(args, tile, positions, group.y, r);
  const uint steps = (args.head_dim + 7) / 8;
  for (uint step = 0; step < steps; ++step) room[step * rung::gpu::kSimd + lane] = float2(0.0f);

  float greatest = -INFINITY, sum = 0;
  for (uint block = tile.first_block; block < tile.end_block; ++block) {
    device const uchar* const keys = keys_of(args, blocks, tile, block, group.y);
    simdgroup_float8x8 weights[8];
    const BlockResult of_block = weigh_block(weights, args, row, q, keys, block, lane);
    const Shares s = shares(greatest, of_block.greatest);
    const uint count = written(tile, args, positions, block);
    for (uint step = 0; step < steps; ++step) {
      const float2 next = add_values(weights, args, keys + args.head_bytes, 8 * step, count, lane);
      const float2 so_far = room[step * rung::gpu::kSimd + lane];  // a place that only this lane reads and writes
      room[step * rung::gpu::kSimd + lane] = float2(combined(so_far.x, next.x, s), combined(so_far.y, next.y, s));
    }
    sum = combined(sum, of_block.sum, s);
    greatest = s.greatest;
  }
  if (!row.there) return;
  device float* const to = out + (ulong(row.token) * args.heads + row.head) * args.head_dim;
  for (uint step = 0; step < steps; ++step) {
    const uint d = 8 * step + c;
    if (d >= args.head_dim) continue;
    const float2 two = room[step * rung::gpu::kSimd + lane];
    to[d] = two.x / sum;
    to[d + 1] = two.y / sum;
  }
}

// The partial results of a row and block: a[head_dim], m, l.
inline ulong partial_at(constant rung::gpu::AttentionArgs& args, uint tile, uint kv_head, uint block, uint r) {
  return (((ulong(tile) * args.kv_heads + kv_head) * args.most_blocks + block) * rung::gpu::kTile + r) *
         (args.head_dim + 2);
}

// grid [tiles, kv_heads, most_blocks], a SIMD group each.
[[max_total_threads_per_threadgroup(32)]] kernel void attention_blocks(
    constant rung::gpu::AttentionArgs& args [[buffer(0)]], device float* partial [[buffer(1)]],
    device const float* q [[buffer(2)]], device const uint* positions [[buffer(3)]],
    device const ulong* blocks [[buffer(4)]], device const rung::gpu::AttentionTile* tiles [[buffer(5)]],
    uint3 group [[threadgroup_position_in_grid]], ushort lane [[thread_index_in_simdgroup]]) {
  const rung::gpu::AttentionTile tile = tiles[group.x];
  const uint block = tile.first_block + group.z;
  if (block >= tile.end_block) return;  // all lanes alike
  const ushort r = matrix_row(lane), c = matrix_column(lane);
  const Row row = row_of(args, tile, positions, group.y, r);
  device const uchar* const keys = keys_of(args, blocks, tile, block, group.y);
  simdgroup_float8x8 weights[8];
  const BlockResult of_block = weigh_block(weights, args, row, q, keys, block, lane);
  const uint count = written(tile, args, positions, block);
  device float* const to = partial + partial_at(args, group.x, group.y, group.z, r);
  for (uint d = 0; d < args.head_dim; d += 8) {
    const float2 next = add_values(weights, args, keys + args.head_bytes, d, count, lane);
    if (!row.there || d + c >= args.head_dim) continue;
    to[d + c] = next.x;
    to[d + c + 1] = next.y;
  }
  if (row.there && c == 0) {
    to[args.head_dim] = of_block.greatest;
    to[args.head_dim + 1] = of_block.sum;
  }
}

// grid [tiles, kv_heads, 8 rows], a SIMD group each; a lane takes dimensions lane, lane + 32, …
[[max_total_threads_per_threadgroup(32)]] kernel void attention_combine(
    constant rung::gpu::AttentionArgs& args [[buffer(0)]], device float* out [[buffer(1)]],
    device const float* partial [[buffer(2)]], device const uint* positions [[buffer(3)]],
    device const rung::gpu::AttentionTile* tiles [[buffer(4)]], uint3 group [[threadgroup_position_in_grid]],
    ushort lane [[thread_index_in_simdgroup]]) {
  const rung::gpu::AttentionTile tile = tiles[group.x];
  const Row row = row_of(args, tile, positions, group.y, group.z);
  if (!row.there) return;
  device float* const to = out + (ulong(row.token) * args.heads + row.head) * args.head_dim;
  for (uint d = lane; d < args.head_dim; d += rung::gpu::kSimd) {
    float greatest = -INFINITY, sum = 0, x = 0;
    for (uint block = 0; block < tile.end_block - tile.first_block; ++block) {
      device const float* const from = partial + partial_at(args, group.x, group.y, block, group.z);
      const Shares s = shares(greatest, from[args.head_dim]);
      x = combined(x, from[d], s);
      sum = combined(sum, from[args.head_dim + 1], s);
      greatest = s.greatest;
    }
    to[d] = x / sum;
  }
}
