// out[t,o] = Σ_k x[t,k]·w[o,k] (+ bias[o]):  nearly all of a model's weights and time.
//
// The GPU multiplies matrices of 8 × 8 in one go (simdgroup_multiply_accumulate). A tile of outputs is such a matrix,
// rows of w down, tokens across; it is made by going along k, eight columns at a time:
//
//               k →                          tokens             A  8 rows of w, unpacked into registers as they come:
//          ┌──┬──┬──┬──┬──┐               ┌────┐                   a lane unpacks two values of a row for each A
//   rows   │A │A │A │A │… │   ·   k  ↓    │ B  │               B  x of 8 tokens; where there are fewer, zeros
//   of w   └──┴──┴──┴──┴──┘               │ B  │
//           run 0  │ run 1 │ …            └────┘               out = (… (run 0 + run 1) + …) + run 7
//
// k is cut into eight runs, one for each SIMD group of the threadgroup, and their sums are added left to right. Runs
// and order depend on the length of k alone, and a row of a product of matrices on its own row of A and column of B:
// so a token's result is the same bits alone or among a hundred. For that a single token pays with seven columns of
// zeros; what limits it is how fast weights come from memory.
//
// Which k a column of A is, is free, as long as B has the same in that row: so the four lanes that share a row of A
// read what lies side by side in a block (formats.metal). CPU twin: ReferenceOps::do_linear.

// MR tiles of 8 rows, NT tiles of 8 tokens, for this SIMD group's run of k.
template <ushort MR, ushort NT>
inline void multiply_run(thread simdgroup_float8x8 (&sums)[MR][NT], constant rung::gpu::LinearArgs& args,
                         device const float* x, device const uchar* w, uint first_row, uint first_token, ushort run,
                         ushort lane) {
  const ushort r = matrix_row(lane), c = matrix_column(lane);
  device const uchar* rows[MR];
  for (ushort m = 0; m < MR; ++m) {
    const uint row = min(first_row + 8 * m + r, args.rows - 1);  // what is made of a row too many is not stored
    rows[m] = w + ulong(row_in_file(row, args.neighbours_head_dim)) * args.row_bytes;
  }
  const uint units = (args.columns + 31) / 32, each = (units + rung::gpu::kRuns - 1) / rung::gpu::kRuns;
  const uint end = min(units, (run + 1) * each);
  for (uint unit = run * each; unit < end; ++unit) {
    float weights[MR][8];
    for (ushort m = 0; m < MR; ++m) unpack_eight(weights[m], rows[m], unit, c / 2, args.columns);
    for (ushort j = 0; j < 4; ++j) {
      const uint k = 32 * unit + place_of(r / 2, 2 * j + r % 2);
      simdgroup_float8x8 b[NT];
      for (ushort n = 0; n < NT; ++n) {
        const uint t = first_token + 8 * n + c;
        device const float* const column = x + ulong(t) * args.columns + k;
        const bool there = k < args.columns;
        set_elements(b[n], float2(there && t < args.tokens ? column[0] : 0.0f,
                                  there && t + 1 < args.tokens ? column[args.columns] : 0.0f));
      }
      for (ushort m = 0; m < MR; ++m) {
        simdgroup_float8x8 a;
        set_elements(a, float2(weights[m][2 * j], weights[m][2 * j + 1]));
        for (ushort n = 0; n < NT; ++n) simdgroup_multiply_accumulate(sums[m][n], a, b[n], sums[m][n]);
      }
    }
  }
}

template <ushort MR, ushort NT>
inline void linear_tile(constant rung::gpu::LinearArgs& args, device float* out, device const float* x,
                        device const uchar* w, device const float* bias, threadgroup float* partial, uint2 group,
                        ushort run, ushort lane) {
  constexpr ushort kRows = 8 * MR, kTokens = 8 * NT;
  const uint first_row = group.x * kRows, first_token = group.y * kTokens;
  simdgroup_float8x8 sums[MR][NT];
  for (ushort m = 0; m < MR; ++m) {
    for (ushort n = 0; n < NT; ++n) sums[m][n] = zero_matrix();
  }
  multiply_run<MR, NT>(sums, args, x, w, first_row, first_token, run, lane);

  // partial[run][token][row]
  threadgroup float* const mine = partial + run * kTokens * kRows;
  for (ushort m = 0; m < MR; ++m) {
    for (ushort n = 0; n < NT; ++n) {
      const float2 two = elements(sums[m][n]);
      const ushort row = 8 * m + matrix_row(lane), token = 8 * n + matrix_column(lane);
      mine[token * kRows + row] = two.x;
      mine[(token + 1) * kRows + row] = two.y;
    }
  }
  threadgroup_barrier(mem_flags::mem_threadgroup);
  for (ushort i = run * rung::gpu::kSimd + lane; i < kRows * kTokens; i += rung::gpu::kRuns * rung::gpu::kSimd) {
    const uint row = first_row + i % kRows, token = first_token + i / kRows;
    if (row >= args.rows || token >= args.tokens) continue;
    float sum = partial[i];
    for (ushort s = 1; s < rung::gpu::kRuns; ++s) sum += partial[s * kTokens * kRows + i];
    if (args.has_bias != 0) sum += bias[row];
    out[ulong(token) * args.out_stride + args.first_row + row] = sum;
  }
}

kernel void linear_few(constant rung::gpu::LinearArgs& args [[buffer(0)]], device float* out [[buffer(1)]],
                       device const float* x [[buffer(2)]], device const uchar* w [[buffer(3)]],
                       device const float* bias [[buffer(4)]], uint2 group [[threadgroup_position_in_grid]],
                       ushort run [[simdgroup_index_in_threadgroup]], ushort lane [[thread_index_in_simdgroup]]) {
  threadgroup float partial[rung::gpu::kRuns * rung::gpu::kFewRows * rung::gpu::kFewTokens];
  linear_tile<1, 1>(args, out, x, w, bias, partial, group, run, lane);
}

kernel void linear_many(constant rung::gpu::LinearArgs& args [[buffer(0)]], device float* out [[buffer(1)]],
                        device const float* x [[buffer(2)]], device const uchar* w [[buffer(3)]],
                        device const float* bias [[buffer(4)]], uint2 group [[threadgroup_position_in_grid]],
                        ushort run [[simdgroup_index_in_threadgroup]], ushort lane [[thread_index_in_simdgroup]]) {
  threadgroup float partial[rung::gpu::kRuns * rung::gpu::kManyRows * rung::gpu::kManyTokens];
  linear_tile<2, 4>(args, out, x, w, bias, partial, group, run, lane);
}

// ids[t] → out[t] = table[ids[t]]·scale.  A thread unpacks eight values: [tokens, units of 32 columns, 4].
// CPU twin: ReferenceOps::do_embed.
kernel void embed(constant rung::gpu::EmbedArgs& args [[buffer(0)]], device float* out [[buffer(1)]],
                  device const int* ids [[buffer(2)]], device const uchar* table [[buffer(3)]],
                  uint index [[thread_position_in_grid]]) {
  const uint units = (args.columns + 31) / 32;
  const uint quarter = index % 4, unit = index / 4 % units, t = index / 4 / units;
  if (t >= args.tokens) return;
  const uint row = uint(ids[t]) - args.first_row;  // of a piece before, it wraps around and is too large
  if (row >= args.rows) return;
  float values[8];
  unpack_eight(values, table + ulong(row) * args.row_bytes, unit, quarter, args.columns);
  for (ushort i = 0; i < 8; ++i) {
    const uint k = 32 * unit + place_of(quarter, i);
    if (k < args.columns) out[ulong(t) * args.columns + k] = args.scale == 1.0f ? values[i] : values[i] * args.scale;
  }
}
