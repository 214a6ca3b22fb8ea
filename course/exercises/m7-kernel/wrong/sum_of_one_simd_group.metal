// cause: one-simd-group
// fails: by-hand
#include <metal_stdlib>
using namespace metal;

// out[row, i] = e^(x[row, i] − m) / Σ_j e^(x[row, j] − m),   m = max_j x[row, j]          out, x: [rows, columns]
//
// A threadgroup for each row, of 32, 64, 96 … threads: there may be more threads than columns, or fewer.
kernel void softmax(device float* out [[buffer(0)]], device const float* x [[buffer(1)]],
                    constant uint& columns [[buffer(2)]],
                    uint row [[threadgroup_position_in_grid]],
                    uint t [[thread_index_in_threadgroup]],         // 0 … threads − 1
                    uint threads [[threads_per_threadgroup]],
                    uint lane [[thread_index_in_simdgroup]],        // t % 32
                    uint group [[simdgroup_index_in_threadgroup]],  // t / 32
                    uint groups [[simdgroups_per_threadgroup]]) {
  threadgroup float shared[32];  // a number from each SIMD group
  device const float* from = x + row * columns;
  device float* to = out + row * columns;

  float largest = -INFINITY;
  for (uint i = t; i < columns; i += threads) largest = max(largest, from[i]);
  largest = simd_max(largest);
  if (lane == 0) shared[group] = largest;
  threadgroup_barrier(mem_flags::mem_threadgroup);
  for (uint g = 0; g < groups; ++g) largest = max(largest, shared[g]);

  float sum = 0;
  for (uint i = t; i < columns; i += threads) sum += exp(from[i] - largest);
  sum = simd_sum(sum);

  for (uint i = t; i < columns; i += threads) to[i] = exp(from[i] - largest) / sum;
}
