// out[r,i] = x[r,i] / √(mean_j x[r,j]² + ε) · weight[i].  (Zhang & Sennrich 2019, arXiv:1910.07467)
//
// A threadgroup a row, of as many threads as the row's length asks for, whatever the number of rows:
//
//   x[r]     ▪ ▪ ▪ ▪ ▪ ▪ ▪ ▪ ▪ ▪ ▪ ▪ ▪ …     thread t: the squares of t, t + threads, …
//   threads  0 1 … 31 | 32 … 63 | 0 1 …     (here 64 of them)
//            simd_sum   simd_sum            every thread: these sums, left to right
//
// A norm is also made inside other kernels, which need it before they begin (runs.metal, heads.metal): by the same
// threads in the same order, so with the same bits.

// 1 / √(mean x² + ε) of one row, for all threads of a threadgroup; there may be more than the sum is made by.
// `sums`: kNormSimds of this row alone.
inline float inverse_norm(device const float* x, uint columns, float epsilon, threadgroup float* sums, ushort t,
                          ushort simd, ushort lane) {
  const uint threads = rung::gpu::norm_threads(columns);
  float squares = 0;
  for (uint i = t; t < threads && i < columns; i += threads) squares = fma(x[i], x[i], squares);
  squares = simd_sum(squares);
  if (lane == 0) sums[simd] = squares;
  threadgroup_barrier(mem_flags::mem_threadgroup);

  float sum = 0;
  for (ushort s = 0; s < threads / rung::gpu::kSimd; ++s) sum += sums[s];
  return 1.0f / precise::sqrt(sum / float(columns) + epsilon);
}
inline float normed(float x, float inverse, float weight) { return x * inverse * weight; }

// One row by a threadgroup of norm_threads(columns). out may be x: a thread writes what it alone has read.
inline void norm_row(device float* out, device const float* x, device const float* weight, uint columns, float epsilon,
                     threadgroup float* sums, ushort t, ushort simd, ushort lane) {
  const float inverse = inverse_norm(x, columns, epsilon, sums, t, simd, lane);
  for (uint i = t; i < columns; i += rung::gpu::norm_threads(columns)) out[i] = normed(x[i], inverse, weight[i]);
}

// grid [rows]. Where `residual` takes the result, too: residual += out.  CPU twin: ReferenceOps::do_rms_norm.
[[max_total_threads_per_threadgroup(256)]] kernel void rms_norm(
    constant rung::gpu::NormArgs& args [[buffer(0)]], device float* out [[buffer(1)]],
    device const float* x [[buffer(2)]], device const float* weight [[buffer(3)]], device float* residual [[buffer(4)]],
    uint row [[threadgroup_position_in_grid]], ushort t [[thread_index_in_threadgroup]],
    ushort simd [[simdgroup_index_in_threadgroup]], ushort lane [[thread_index_in_simdgroup]]) {
  threadgroup float sums[rung::gpu::kNormSimds];
  const uint columns = args.columns;
  const ulong begin = ulong(row) * columns;
  norm_row(out + begin, x + begin, weight, columns, args.epsilon, sums, t, simd, lane);
  if (args.has_residual == 0) return;
  for (uint i = t; i < columns; i += rung::gpu::norm_threads(columns)) residual[begin + i] += out[begin + i];
}
