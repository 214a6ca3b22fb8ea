// out[r,i] = x[r,i] / √(mean_j x[r,j]² + ε) · weight[i].  (Zhang & Sennrich 2019, arXiv:1910.07467)
//
// A threadgroup a row, of as many threads as the row's length asks for, whatever the number of rows:
//
//   x[r]     ▪ ▪ ▪ ▪ ▪ ▪ ▪ ▪ ▪ ▪ ▪ ▪ ▪ ▪ ▪ ▪ …       thread t adds the squares of columns t, t + threads, …
//   threads  0 1 2 3 … 31 | 32 … 63 | … | 0 1 …
//             simd_sum      simd_sum                  the sums of the SIMD groups, left to right, by every thread
//
// out may be x: a thread writes what it alone has read. CPU twin: ReferenceOps::do_rms_norm.
kernel void rms_norm(constant rung::gpu::NormArgs& args [[buffer(0)]], device float* out [[buffer(1)]],
                     device const float* x [[buffer(2)]], device const float* weight [[buffer(3)]],
                     uint row [[threadgroup_position_in_grid]], ushort t [[thread_index_in_threadgroup]],
                     ushort threads [[threads_per_threadgroup]], ushort simd [[simdgroup_index_in_threadgroup]],
                     ushort lane [[thread_index_in_simdgroup]], ushort simds [[simdgroups_per_threadgroup]]) {
  threadgroup float sums[rung::gpu::kNormThreads / rung::gpu::kSimd];
  device const float* const from = x + ulong(row) * args.columns;
  device float* const to = out + ulong(row) * args.columns;

  float squares = 0;
  for (uint i = t; i < args.columns; i += threads) squares = fma(from[i], from[i], squares);
  squares = simd_sum(squares);
  if (lane == 0) sums[simd] = squares;
  threadgroup_barrier(mem_flags::mem_threadgroup);

  float sum = 0;
  for (ushort s = 0; s < simds; ++s) sum += sums[s];
  const float inverse = 1.0f / precise::sqrt(sum / float(args.columns) + args.epsilon);
  for (uint i = t; i < args.columns; i += threads) to[i] = from[i] * inverse * weight[i];
}
