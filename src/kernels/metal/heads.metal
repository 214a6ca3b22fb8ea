// The heads of a token after q, k and v: norm (where the family has one), turn, and k and v into the cache: three to
// five verbs as one kernel.  Milestone M7.
//
//   threadgroups   0 … heads − 1      heads …            heads + kv_heads …     for each token
//                  a head of q        a head of k        a head of v
//                  │ norm             │ norm             │
//                  │ turn             │ turn             │
//                  ▼ q                ▼ k, store → K     ▼ store → V
//
// Each step is that of norm.metal, rope.metal or store.metal. Between two steps a barrier, for memory that the whole
// device sees: what one thread of the threadgroup wrote there, another now reads.
//
// grid [heads + 2 · kv_heads, tokens], norm_threads(head_dim) threads each.
[[max_total_threads_per_threadgroup(256)]] kernel void heads(
    constant rung::gpu::HeadsArgs& args [[buffer(0)]], device float* q [[buffer(1)]], device float* k [[buffer(2)]],
    device float* v [[buffer(3)]], device const float* q_norm [[buffer(4)]], device const float* k_norm [[buffer(5)]],
    device const float* table [[buffer(6)]], device const uint* positions [[buffer(7)]],
    device const ulong* blocks [[buffer(8)]], uint2 group [[threadgroup_position_in_grid]],
    ushort t [[thread_index_in_threadgroup]], ushort simd [[simdgroup_index_in_threadgroup]],
    ushort simds [[simdgroups_per_threadgroup]], ushort lane [[thread_index_in_simdgroup]]) {
  threadgroup float sums[rung::gpu::kNormSimds];
  const uint token = group.y, heads = args.heads, head_dim = args.store.head_dim, kv_heads = args.store.kv_heads;
  const bool is_query = group.x < heads, is_value = group.x >= heads + kv_heads;
  const uint head = is_query ? group.x : (group.x - heads) % kv_heads;
  device float* const x = (is_query ? q : is_value ? v : k) +
                          (ulong(token) * (is_query ? heads : kv_heads) + head) * head_dim;
  if (!is_value) {
    if ((is_query ? args.has_q_norm : args.has_k_norm) != 0) {
      norm_row(x, x, is_query ? q_norm : k_norm, head_dim, is_query ? args.q_epsilon : args.k_epsilon, sums, t, simd,
               lane);
      threadgroup_barrier(mem_flags::mem_device);
    }
    const uint half_dim = head_dim / 2;
    device const float* const turn = table + ulong(token) * head_dim;
    for (uint i = t; i < half_dim; i += simds * rung::gpu::kSimd) turn_pair(x + i, turn + i, half_dim);
    if (is_query) return;  // all threads alike
    threadgroup_barrier(mem_flags::mem_device);
  }
  store_head(head_in_block(args.store, blocks[token], head, is_value), is_value, x, head_dim, positions[token], simd,
             simds, lane);
}
