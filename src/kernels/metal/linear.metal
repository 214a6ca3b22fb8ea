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

// Before a layer's linear layers stands a norm. Of a token or two each threadgroup makes it for itself (Input): that is
// one dispatch less, for reading x once more, which lies in the cache by then.

// What is multiplied: x [tokens, columns]; where the pipeline is made for it, normed by what norm.metal finds.
struct Input {
  device const float* x;
  device const float* norm_weight;
  float2 inverses;  // of up to kNormTokens rows
};
inline float value_of(Input in, uint t, uint k, uint columns) {
  const float x = in.x[ulong(t) * columns + k];
  return is_normed() ? normed(x, t == 0 ? in.inverses.x : in.inverses.y, in.norm_weight[k]) : x;
}

// By all threads of a threadgroup. One of the grid keeps what the norm makes, as the verb alone would: `to`.
inline Input input_of(constant rung::gpu::LinearArgs& args, device const float* x, device const float* norm_weight,
                      device float* to, threadgroup float* sums, bool keeps, ushort run, ushort lane) {
  Input in{x, norm_weight, float2(0.0f)};
  if (!is_normed()) return in;
  const ushort t = run * rung::gpu::kSimd + lane;
  for (uint row = 0; row < args.tokens; ++row) {
    in.inverses[row] = inverse_norm(x + row * args.columns, args.columns, args.epsilon,
                                    sums + row * rung::gpu::kNormSimds, t, run, lane);
  }
  if (!keeps) return in;
  for (uint row = 0; row < args.tokens; ++row) {
    for (uint k = t; k < args.columns; k += rung::gpu::kRuns * rung::gpu::kSimd) {
      to[row * args.columns + k] = value_of(in, row, k, args.columns);
    }
  }
  return in;
}

// Where the rows of a lane begin, one a tile.
template <ushort MR>
struct RowStarts {
  device const uchar* at[MR];
};

inline device const uchar* row_start(constant rung::gpu::LinearArgs& args, device const uchar* w, uint row) {
  const uint in_w = min(row, args.rows - 1);  // what is made of a row too many is not stored
  return w + ulong(row_in_file(in_w, args.neighbours_head_dim)) * args.row_bytes;
}

// MR tiles of 8 rows, NT tiles of 8 tokens, for this SIMD group's run of k: partial[run][token][row].
template <ushort MR, ushort NT>
inline void multiply_run(uint format, threadgroup float* partial, constant rung::gpu::LinearArgs& args, Input in,
                         RowStarts<MR> rows, uint first_token, ushort run, ushort lane) {
  constexpr ushort kRows = 8 * MR, kTokens = 8 * NT;
  const ushort r = matrix_row(lane), c = matrix_column(lane);
  simdgroup_float8x8 sums[MR][NT];
  for (ushort m = 0; m < MR; ++m) {
    for (ushort n = 0; n < NT; ++n) sums[m][n] = zero_matrix();
  }
  const uint units = (args.columns + 31) / 32, each = (units + rung::gpu::kRuns - 1) / rung::gpu::kRuns;
  const uint end = min(units, (run + 1) * each);
  for (uint unit = run * each; unit < end; ++unit) {
    float weights[MR][8];
    for (ushort m = 0; m < MR; ++m) unpack_eight(format, weights[m], rows.at[m], unit, c / 2, args.columns);
    for (ushort j = 0; j < 4; ++j) {
      const uint k = 32 * unit + place_of(format, r / 2, 2 * j + r % 2);
      const bool there = k < args.columns;
      simdgroup_float8x8 b[NT];
      for (ushort n = 0; n < NT; ++n) {
        const uint t = first_token + 8 * n + c;
        set_elements(b[n], float2(there && t < args.tokens ? value_of(in, t, k, args.columns) : 0.0f,
                                  there && t + 1 < args.tokens ? value_of(in, t + 1, k, args.columns) : 0.0f));
      }
      for (ushort m = 0; m < MR; ++m) {
        simdgroup_float8x8 a;
        set_elements(a, float2(weights[m][2 * j], weights[m][2 * j + 1]));
        for (ushort n = 0; n < NT; ++n) simdgroup_multiply_accumulate(sums[m][n], a, b[n], sums[m][n]);
      }
    }
  }
  threadgroup float* const mine = partial + run * kTokens * kRows;
  for (ushort m = 0; m < MR; ++m) {
    for (ushort n = 0; n < NT; ++n) {
      const float2 two = elements(sums[m][n]);
      const ushort row = 8 * m + r, token = 8 * n + c;
      mine[token * kRows + row] = two.x;
      mine[(token + 1) * kRows + row] = two.y;
    }
  }
}

// The runs' sums of one output, left to right. `size`: outputs of a tile.
inline float sum_of_runs(threadgroup const float* partial, uint at, uint size) {
  float sum = partial[at];
  for (ushort s = 1; s < rung::gpu::kRuns; ++s) sum += partial[s * size + at];
  return sum;
}

// A matrix of the dispatch, and where its result goes.
struct Layer {
  device float* out;
  device const uchar* w;
  device const float* bias;
  device float* residual;
};

template <ushort MR, ushort NT>
inline void linear_tile(constant rung::gpu::LinearArgs& args, Layer layer, Input in, threadgroup float* partial,
                        uint3 group, ushort run, ushort lane) {
  constexpr ushort kRows = 8 * MR, kTokens = 8 * NT;
  const uint first_row = group.x * kRows, first_token = group.y * kTokens;
  if (first_row >= args.rows) return;  // of several matrices, one with fewer rows than another: all threads alike
  RowStarts<MR> rows;
  for (ushort m = 0; m < MR; ++m) rows.at[m] = row_start(args, layer.w, first_row + 8 * m + matrix_row(lane));
  // All threads alike; in a pipeline for one format the compiler drops the second way.
  if (first_format() == other_format() || args.has_other_format == 0) {
    multiply_run<MR, NT>(first_format(), partial, args, in, rows, first_token, run, lane);
  } else {
    multiply_run<MR, NT>(other_format(), partial, args, in, rows, first_token, run, lane);
  }
  threadgroup_barrier(mem_flags::mem_threadgroup);
  for (ushort i = run * rung::gpu::kSimd + lane; i < kRows * kTokens; i += rung::gpu::kRuns * rung::gpu::kSimd) {
    const uint row = first_row + i % kRows, token = first_token + i / kRows;
    if (row >= args.rows || token >= args.tokens) continue;
    float sum = sum_of_runs(partial, i, kRows * kTokens);
    if (args.has_bias != 0) sum += layer.bias[row];
    const ulong at = ulong(token) * args.out_stride + args.first_row + row;
    layer.out[at] = sum;
    if (args.has_residual != 0) layer.residual[at] += sum;
  }
}

// Up to three matrices on the same x, as q, k and v are: grid [tiles of rows, tiles of tokens, matrices]. Of a single
// one, `residual` may take the result, too: residual += out.
[[max_total_threads_per_threadgroup(256)]] kernel void linear_few(
    constant rung::gpu::LinearArgs* tasks [[buffer(0)]], device const float* x [[buffer(1)]],
    device float* residual [[buffer(2)]], device float* out_0 [[buffer(3)]], device const uchar* w_0 [[buffer(4)]],
    device const float* bias_0 [[buffer(5)]], device float* out_1 [[buffer(6)]], device const uchar* w_1 [[buffer(7)]],
    device const float* bias_1 [[buffer(8)]], device float* out_2 [[buffer(9)]], device const uchar* w_2 [[buffer(10)]],
    device const float* bias_2 [[buffer(11)]], device const float* norm_weight [[buffer(12)]],
    device float* norm_out [[buffer(13)]], uint3 group [[threadgroup_position_in_grid]],
    ushort run [[simdgroup_index_in_threadgroup]], ushort lane [[thread_index_in_simdgroup]]) {
  threadgroup float partial[rung::gpu::kRuns * rung::gpu::kFewRows * rung::gpu::kFewTokens];
  threadgroup float sums[rung::gpu::kNormTokens * rung::gpu::kNormSimds];
  const uint z = group.z;
  const Layer layer{z == 0 ? out_0 : z == 1 ? out_1 : out_2, z == 0 ? w_0 : z == 1 ? w_1 : w_2,
                    z == 0 ? bias_0 : z == 1 ? bias_1 : bias_2, residual};
  const Input in = input_of(tasks[z], x, norm_weight, norm_out, sums, group.x == 0 && z == 0, run, lane);
  linear_tile<1, 1>(tasks[z], layer, in, partial, group, run, lane);
}

[[max_total_threads_per_threadgroup(256)]] kernel void linear_many(
    constant rung::gpu::LinearArgs* tasks [[buffer(0)]], device const float* x [[buffer(1)]],
    device float* residual [[buffer(2)]], device float* out_0 [[buffer(3)]], device const uchar* w_0 [[buffer(4)]],
    device const float* bias_0 [[buffer(5)]], device float* out_1 [[buffer(6)]], device const uchar* w_1 [[buffer(7)]],
    device const float* bias_1 [[buffer(8)]], device float* out_2 [[buffer(9)]], device const uchar* w_2 [[buffer(10)]],
    device const float* bias_2 [[buffer(11)]], uint3 group [[threadgroup_position_in_grid]],
    ushort run [[simdgroup_index_in_threadgroup]], ushort lane [[thread_index_in_simdgroup]]) {
  threadgroup float partial[rung::gpu::kRuns * rung::gpu::kManyRows * rung::gpu::kManyTokens];
  const uint z = group.z;
  const Layer layer{z == 0 ? out_0 : z == 1 ? out_1 : out_2, z == 0 ? w_0 : z == 1 ? w_1 : w_2,
                    z == 0 ? bias_0 : z == 1 ? bias_1 : bias_2, residual};
  linear_tile<2, 4>(tasks[z], layer, Input{x, x, float2(0.0f)}, partial, group, run, lane);
}

// out = activation(x·gate)·(x·up): both products of the same rows in one threadgroup, eight rows of each. Neither has
// a bias.
template <ushort NT>
inline void gate_up_tile(constant rung::gpu::LinearArgs& args, device float* out, device float* up_out, Input in,
                         device const uchar* gates, device const uchar* ups, threadgroup float* partial, uint2 group,
                         ushort run, ushort lane) {
  constexpr ushort kTokens = 8 * NT;
  const uint first_row = group.x * 8, first_token = group.y * kTokens;
  RowStarts<2> rows;
  rows.at[0] = row_start(args, gates, first_row + matrix_row(lane));
  rows.at[1] = row_start(args, ups, first_row + matrix_row(lane));
  multiply_run<2, NT>(first_format(), partial, args, in, rows, first_token, run, lane);
  threadgroup_barrier(mem_flags::mem_threadgroup);
  for (ushort i = run * rung::gpu::kSimd + lane; i < 8 * kTokens; i += rung::gpu::kRuns * rung::gpu::kSimd) {
    const uint row = first_row + i % 8, token = first_token + i / 8, at = i / 8 * 16 + i % 8;
    if (row >= args.rows || token >= args.tokens) continue;
    const float g = sum_of_runs(partial, at, 16 * kTokens), up = sum_of_runs(partial, at + 8, 16 * kTokens);
    out[ulong(token) * args.out_stride + row] = activated(g, up, args.activation);
    up_out[ulong(token) * args.out_stride + row] = up;
  }
}

[[max_total_threads_per_threadgroup(256)]] kernel void gate_up_few(
    constant rung::gpu::LinearArgs& args [[buffer(0)]], device const float* x [[buffer(1)]],
    device float* out [[buffer(2)]], device float* up_out [[buffer(3)]], device const uchar* gates [[buffer(4)]],
    device const uchar* ups [[buffer(5)]], device const float* norm_weight [[buffer(6)]],
    device float* norm_out [[buffer(7)]], uint2 group [[threadgroup_position_in_grid]],
    ushort run [[simdgroup_index_in_threadgroup]], ushort lane [[thread_index_in_simdgroup]]) {
  threadgroup float partial[rung::gpu::kRuns * 16 * rung::gpu::kFewTokens];
  threadgroup float sums[rung::gpu::kNormTokens * rung::gpu::kNormSimds];
  const Input in = input_of(args, x, norm_weight, norm_out, sums, group.x == 0, run, lane);
  gate_up_tile<1>(args, out, up_out, in, gates, ups, partial, group, run, lane);
}

[[max_total_threads_per_threadgroup(256)]] kernel void gate_up_many(
    constant rung::gpu::LinearArgs& args [[buffer(0)]], device const float* x [[buffer(1)]],
    device float* out [[buffer(2)]], device float* up_out [[buffer(3)]], device const uchar* gates [[buffer(4)]],
    device const uchar* ups [[buffer(5)]], uint2 group [[threadgroup_position_in_grid]],
    ushort run [[simdgroup_index_in_threadgroup]], ushort lane [[thread_index_in_simdgroup]]) {
  threadgroup float partial[rung::gpu::kRuns * 16 * rung::gpu::kManyTokens];
  gate_up_tile<4>(args, out, up_out, Input{x, x, float2(0.0f)}, gates, ups, partial, group, run, lane);
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
  unpack_eight(first_format(), values, table + ulong(row) * args.row_bytes, unit, quarter, args.columns);
  for (ushort i = 0; i < 8; ++i) {
    const uint k = 32 * unit + place_of(first_format(), quarter, i);
    if (k < args.columns) out[ulong(t) * args.columns + k] = args.scale == 1.0f ? values[i] : values[i] * args.scale;
  }
}
