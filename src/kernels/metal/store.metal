// Keys and values into the cache, rounded to its type.  Milestone M7.
//
// The cache lies as the CPU has it (ops/kv_cache.h): blocks of 64 positions, K of a head with the positions side by
// side [head_dim, 64], V with the dimensions [64, head_dim], as f32, f16 or Q8_0. A sequence's blocks lie where there
// was room; the host passes their addresses in a table, as numbers that become pointers here.
//
//   K of a head            position →              V of a head     d →
//            d  ┌─────────────────────────┐              p  ┌───────────────┐
//            ↓  │ ·  ·  ▪  ·  …        64 │              ↓  │ ▪ ▪ ▪ ▪ ▪ ▪ ▪ │   ▪ what one position
//               │ ·  ·  ▪  ·              │                 │ · · · · · · · │     brings
//               └─────────────────────────┘                 └───────────────┘ 64
constant uint kCache [[function_constant(RUNG_CACHE_CONSTANT)]];

// A head's keys in a block, or its values.
inline device uchar* head_in_block(constant rung::gpu::StoreArgs& args, ulong block, uint head, bool is_value) {
  return reinterpret_cast<device uchar*>(block) + args.layer_bytes + (2 * head + (is_value ? 1 : 0)) * args.head_bytes;
}

// 32 neighbouring values of a position, one a lane: this lane has x, of dimension d. Q8_0 takes its scale from these
// 32: max|x| / 127.
inline void store_32(device uchar* to, bool is_value, uint head_dim, uint position, uint d, float x, ushort lane) {
  const uint in_block = position % rung::gpu::kBlock;
  const bool there = d < head_dim;
  const uint at = is_value ? in_block * head_dim + d : d * rung::gpu::kBlock + in_block;
  if (kCache == rung::gpu::kF32) {
    if (there) reinterpret_cast<device float*>(to)[at] = x;
  } else if (kCache == rung::gpu::kF16) {
    if (there) reinterpret_cast<device half*>(to)[at] = half(x);
  } else {
    const float largest = simd_max(abs(x)), scale = largest / 127.0f;
    const float inverse = largest < 1e-36f ? 0.0f : 1.0f / scale;
    if (there) reinterpret_cast<device char*>(to)[at] = char(rint(x * inverse));
    device half* const scales = reinterpret_cast<device half*>(to + rung::gpu::kBlock * head_dim);
    if (lane == 0) scales[d / 32 * rung::gpu::kBlock + in_block] = half(scale);
  }
}

// A head's key or value x[head_dim], by the SIMD groups of a threadgroup: group s takes 32 values from 32·s on, then
// 32 from 32·(s + simds) on, …
inline void store_head(device uchar* to, bool is_value, device const float* x, uint head_dim, uint position,
                       ushort simd, ushort simds, ushort lane) {
  for (uint first = simd * rung::gpu::kSimd; first < head_dim; first += simds * rung::gpu::kSimd) {
    const uint d = first + lane;
    store_32(to, is_value, head_dim, position, d, d < head_dim ? x[d] : 0.0f, lane);
  }
}

// k, v [tokens, kv_heads, head_dim] → the cache: grid [kv_heads · 2 (K, V), tokens], a SIMD group each.
// CPU twin: KvCache::store.
[[max_total_threads_per_threadgroup(32)]] kernel void store_kv(
    constant rung::gpu::StoreArgs& args [[buffer(0)]], device const float* k [[buffer(1)]],
    device const float* v [[buffer(2)]], device const uint* positions [[buffer(3)]],
    device const ulong* blocks [[buffer(4)]], uint2 group [[threadgroup_position_in_grid]],
    ushort lane [[thread_index_in_simdgroup]]) {
  const uint head = group.x / 2, token = group.y;
  const bool is_value = group.x % 2 != 0;
  device const float* const x = (is_value ? v : k) + (ulong(token) * args.kv_heads + head) * args.head_dim;
  store_head(head_in_block(args, blocks[token], head, is_value), is_value, x, args.head_dim, positions[token], 0, 1,
             lane);
}
