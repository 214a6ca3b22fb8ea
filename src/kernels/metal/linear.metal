// out[t,o] = Σ_k x[t,k]·w[o,k] (+ bias[o]):  nearly all of a model's weights and time.
//
// A threadgroup makes a tile of outputs, of rows of w and tokens: its eight SIMD groups make the runs of each
// (runs.metal, where the drawings are), wait for each other, and threads add up those of an output each, or of several.
// CPU twin: ReferenceOps::do_linear.

// A matrix of the dispatch, and where its result goes.
struct Layer {
  device float* out;
  device const uchar* w;
  device const float* bias;
  device float* residual;
};

// The runs of a tile of kRows by kTokens are in `partial`, by all threads of the threadgroup.
template <ushort kRows, ushort kTokens>
inline void add_runs(constant rung::gpu::LinearArgs& args, Layer layer, threadgroup const float* partial,
                     uint first_row, uint first_token, ushort run, ushort lane) {
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

// All threads alike; in a pipeline for one format the compiler drops the second way.
inline bool is_in_first_format(constant rung::gpu::LinearArgs& args) {
  return first_format() == other_format() || args.has_other_format == 0;
}

template <ushort MR, ushort NT>
inline void linear_tile(constant rung::gpu::LinearArgs& args, Layer layer, Input in, threadgroup float* partial,
                        uint3 group, ushort run, ushort lane) {
  constexpr ushort kRows = 8 * MR, kTokens = 8 * NT;
  const uint first_row = group.x * kRows, first_token = group.y * kTokens;
  if (first_row >= args.rows) return;  // of several matrices, one with fewer rows than another: all threads alike
  RowStarts<MR> rows;
#pragma unroll
  for (ushort m = 0; m < MR; ++m) rows.at[m] = row_start(args, layer.w, first_row + 8 * m + matrix_row(lane));
  if (is_in_first_format(args)) {
    multiply_run<MR, NT>(first_format(), partial, args, in, rows, first_token, run, lane);
  } else {
    multiply_run<MR, NT>(other_format(), partial, args, in, rows, first_token, run, lane);
  }
  add_runs<kRows, kTokens>(args, layer, partial, first_row, first_token, run, lane);
}

// The same for a single token: MR neighbouring rows a SIMD group.
template <ushort MR>
inline void linear_diagonal(constant rung::gpu::LinearArgs& args, Layer layer, Input in, threadgroup float* partial,
                            uint3 group, ushort simd, ushort lane) {
  constexpr ushort kRows = rung::gpu::kRuns * MR;
  const uint first_row = group.x * kRows;
  if (first_row >= args.rows) return;
  RowStarts<MR> rows;
#pragma unroll
  for (ushort m = 0; m < MR; ++m) rows.at[m] = row_start(args, layer.w, first_row + simd * MR + m);
  if (is_in_first_format(args)) {
    multiply_diagonal<MR>(first_format(), partial, args, in, rows, simd * MR, 1, lane);
  } else {
    multiply_diagonal<MR>(other_format(), partial, args, in, rows, simd * MR, 1, lane);
  }
  add_runs<kRows, 1>(args, layer, partial, first_row, 0, simd, lane);
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
  if (is_single()) {
    linear_diagonal<rung::gpu::kSingleRows / rung::gpu::kRuns>(tasks[z], layer, in, partial, group, run, lane);
  } else {
    linear_tile<1, 1>(tasks[z], layer, in, partial, group, run, lane);
  }
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

// out = activation(x·gate)·(x·up): both products of the same rows in one threadgroup. Neither has a bias. `partial`:
// [run][token][kRows of gate, kRows of up].
template <ushort kRows, ushort kTokens>
inline void add_gated_runs(constant rung::gpu::LinearArgs& args, device float* out, device float* up_out,
                           threadgroup const float* partial, uint first_row, uint first_token, ushort run,
                           ushort lane) {
  threadgroup_barrier(mem_flags::mem_threadgroup);
  for (ushort i = run * rung::gpu::kSimd + lane; i < kRows * kTokens; i += rung::gpu::kRuns * rung::gpu::kSimd) {
    const uint row = first_row + i % kRows, token = first_token + i / kRows, at = i / kRows * 2 * kRows + i % kRows;
    if (row >= args.rows || token >= args.tokens) continue;
    const float g = sum_of_runs(partial, at, 2 * kRows * kTokens),
                up = sum_of_runs(partial, at + kRows, 2 * kRows * kTokens);
    out[ulong(token) * args.out_stride + row] = activated(g, up, args.activation);
    up_out[ulong(token) * args.out_stride + row] = up;
  }
}

template <ushort NT>
inline void gate_up_tile(constant rung::gpu::LinearArgs& args, device float* out, device float* up_out, Input in,
                         device const uchar* gates, device const uchar* ups, threadgroup float* partial, uint2 group,
                         ushort run, ushort lane) {
  const uint first_row = group.x * 8, first_token = group.y * 8 * NT;
  RowStarts<2> rows;
  rows.at[0] = row_start(args, gates, first_row + matrix_row(lane));
  rows.at[1] = row_start(args, ups, first_row + matrix_row(lane));
  multiply_run<2, NT>(first_format(), partial, args, in, rows, first_token, run, lane);
  add_gated_runs<8, 8 * NT>(args, out, up_out, partial, first_row, first_token, run, lane);
}

// The same for a single token: 16 rows of each, two of each a SIMD group.
inline void gate_up_diagonal(constant rung::gpu::LinearArgs& args, device float* out, device float* up_out, Input in,
                             device const uchar* gates, device const uchar* ups, threadgroup float* partial,
                             uint2 group, ushort simd, ushort lane) {
  const uint first_row = group.x * 16;
  RowStarts<4> rows;
  rows.at[0] = row_start(args, gates, first_row + simd);
  rows.at[1] = row_start(args, gates, first_row + 8 + simd);
  rows.at[2] = row_start(args, ups, first_row + simd);
  rows.at[3] = row_start(args, ups, first_row + 8 + simd);
  multiply_diagonal<4>(first_format(), partial, args, in, rows, simd, 8, lane);
  add_gated_runs<16, 1>(args, out, up_out, partial, first_row, 0, simd, lane);
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
  if (is_single()) {
    gate_up_diagonal(args, out, up_out, in, gates, ups, partial, group, run, lane);
  } else {
    gate_up_tile<1>(args, out, up_out, in, gates, ups, partial, group, run, lane);
  }
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
