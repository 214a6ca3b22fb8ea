// Rotary position embedding, in place.  (Su et al. 2021, arXiv:2104.09864)
//
//   x[i]        ←  x[i]·cos − x[i + half]·sin
//   x[i + half] ←  x[i + half]·cos + x[i]·sin
//
// A thread a pair: [tokens, heads, half].
//
//   x[t,h]    ▪ ▪ ▪ ▪ │ ▪ ▪ ▪ ▪            table[t]   cosines of its position │ sines
//   threads   0 1 2 3 │ 0 1 2 3                       0 1 2 3                 │ 0 1 2 3
//
// The host makes the table, once for all layers: 128 numbers a token are little, and the sine of a large angle is where
// one machine's mathematics differs most from another's. CPU twin: ReferenceOps::do_rope.

// `pair` and half_dim further; `turn`: its cosine, and half_dim further its sine.
inline void turn_pair(device float* pair, device const float* turn, uint half_dim) {
  const float a = pair[0], b = pair[half_dim], cosine = turn[0], sine = turn[half_dim];
  pair[0] = fma(a, cosine, -(b * sine));
  pair[half_dim] = fma(b, cosine, a * sine);
}

kernel void rope(constant rung::gpu::RopeArgs& args [[buffer(0)]], device float* x [[buffer(1)]],
                 device const float* table [[buffer(2)]], uint index [[thread_position_in_grid]]) {
  const uint half_dim = args.half_dim;
  if (index >= args.tokens * args.heads * half_dim) return;
  const uint i = index % half_dim, head = index / half_dim;
  turn_pair(x + ulong(head) * 2 * half_dim + i, table + ulong(head / args.heads) * 2 * half_dim + i, half_dim);
}
