#include <metal_stdlib>
using namespace metal;

// Each of these has one classic fault of GPU programs; faults_test.cpp says which mode of the emulator finds it.
// All run with one threadgroup of 256 threads, unless the test says otherwise.

kernel void missing_barrier(device float* out [[buffer(0)]], uint i [[thread_index_in_threadgroup]],
                            uint n [[threads_per_threadgroup]]) {
  threadgroup float shared[256];
  shared[i] = i;
  out[i] = shared[n - 1 - i];  // of a thread that may not have written yet
}

// The SIMD group that is fast overwrites what the slow one has yet to read.
kernel void reused_too_soon(device float* out [[buffer(0)]], uint i [[thread_index_in_threadgroup]],
                            uint group [[simdgroup_index_in_threadgroup]], uint lane [[thread_index_in_simdgroup]]) {
  threadgroup float sums[8];
  const float one = simd_sum(1.f);
  if (lane == 0) sums[group] = one;
  threadgroup_barrier(mem_flags::mem_threadgroup);
  const float first = simd_sum(lane < 8 ? sums[lane] : 0.f);
  const float two = simd_sum(2.f);
  if (lane == 0) sums[group] = two;  // a barrier is missing before this
  threadgroup_barrier(mem_flags::mem_threadgroup);
  out[i] = first + simd_sum(lane < 8 ? sums[lane] : 0.f);
}

kernel void trusts_lockstep(device float* out [[buffer(0)]], uint i [[thread_index_in_threadgroup]]) {
  threadgroup float shared[256];
  shared[i] = i;
  out[i] = shared[i ^ 1];  // a neighbour in the SIMD group: simdgroup_barrier is missing
}

kernel void barrier_in_branch(device float* out [[buffer(0)]], uint i [[thread_index_in_threadgroup]]) {
  if (i < 100) threadgroup_barrier(mem_flags::mem_threadgroup);
  out[i] = 256;
}

kernel void returns_before_barrier(device float* out [[buffer(0)]], uint i [[thread_index_in_threadgroup]]) {
  if (i >= 200) return;
  threadgroup_barrier(mem_flags::mem_threadgroup);
  out[i] = 1;
}

kernel void different_barriers(device float* out [[buffer(0)]], uint i [[thread_index_in_threadgroup]]) {
  if (i < 128) {
    threadgroup_barrier(mem_flags::mem_threadgroup);
    out[i] = 1;
  } else {
    threadgroup_barrier(mem_flags::mem_threadgroup);
    out[i] = 2;
  }
}

kernel void divergent_sum(device float* out [[buffer(0)]], uint i [[thread_index_in_threadgroup]]) {
  float v = 1;
  if (i % 32 < 7) v = simd_sum(v);
  out[i] = v;
}

kernel void divergent_quad(device float* out [[buffer(0)]], uint i [[thread_index_in_threadgroup]]) {
  float v = 1;
  if (i % 32 < 6) v = quad_sum(v);  // the second quad is there by halves
  out[i] = v;
}

kernel void shuffle_from_nobody(device float* out [[buffer(0)]], uint i [[thread_index_in_threadgroup]]) {
  float v = i;
  if (i % 32 < 16) v = simd_shuffle_xor(v, 16);
  out[i] = v;
}

kernel void matrix_in_branch(device float* out [[buffer(0)]], uint i [[thread_index_in_threadgroup]]) {
  simdgroup_float8x8 m = make_filled_simdgroup_matrix<float, 8>(1.f);
  if (i % 32 < 16) simdgroup_store(m, out);
}

kernel void writes_past_the_end(device float* out [[buffer(0)]], uint i [[thread_index_in_threadgroup]]) {
  out[i + 1] = 1;
}

kernel void reads_before_the_start(device float* out [[buffer(0)]], device const float* in [[buffer(1)]],
                                   uint i [[thread_index_in_threadgroup]]) {
  out[i] = in[int(i) - 1];
}

kernel void past_threadgroup_memory(device float* out [[buffer(0)]], uint i [[thread_index_in_threadgroup]],
                                    threadgroup float* shared [[threadgroup(0)]]) {
  shared[i] = 1;  // the host gave it 255 · 4 bytes, and a bit
  threadgroup_barrier(mem_flags::mem_threadgroup);
  out[i] = shared[0];
}

kernel void past_an_array(device float* out [[buffer(0)]], uint i [[thread_index_in_threadgroup]]) {
  threadgroup float shared[255];
  shared[i] = 1;
  threadgroup_barrier(mem_flags::mem_threadgroup);
  out[i] = shared[0];
}

kernel void past_a_private_array(device float* out [[buffer(0)]], uint i [[thread_index_in_threadgroup]]) {
  float mine[4] = {0, 1, 2, 3};
  out[i] = mine[i % 5];
}

kernel void never_written(device float* out [[buffer(0)]], uint i [[thread_index_in_threadgroup]]) {
  threadgroup float shared[256];
  if (i != 5) shared[i] = 1;
  threadgroup_barrier(mem_flags::mem_threadgroup);
  out[i] = shared[i];
}

kernel void two_threads_one_place(device float* out [[buffer(0)]], uint i [[thread_position_in_grid]]) {
  out[0] = i;
  out[i] += 1;
}

kernel void asks_another_group(device float* out [[buffer(0)]], uint i [[thread_index_in_threadgroup]],
                               uint group [[threadgroup_position_in_grid]]) {
  if (i == 0) out[group] = group;
  if (i == 1 && group > 0) out[100 + group] = out[group - 1];
}

kernel void misaligned(device float* out [[buffer(0)]], uint i [[thread_index_in_threadgroup]]) {
  if (i == 0) out[0] = (*(device float4*)(out + 1)).x;
}

kernel void too_much_memory(device float* out [[buffer(0)]], uint i [[thread_index_in_threadgroup]]) {
  threadgroup float shared[9000];
  shared[i] = i;
  threadgroup_barrier(mem_flags::mem_threadgroup);
  out[i] = shared[i ^ 1];
}

kernel void wrong_flag(device float* out [[buffer(0)]], uint i [[thread_index_in_threadgroup]]) {
  threadgroup float shared[256];
  shared[i] = i;
  threadgroup_barrier(mem_flags::mem_device);  // orders device memory, not this
  out[i] = shared[255 - i];
}

// What is printed for each thread depends on the order in which they come.
kernel void first_come(device float* out [[buffer(0)]], device atomic_uint* counter [[buffer(1)]],
                       uint i [[thread_index_in_threadgroup]]) {
  out[i] = atomic_fetch_add_explicit(counter, 1u, memory_order_relaxed);
}

// 1e8 + 1 - 1e8 is 0 or 1: what is left depends on the order of the sum.
kernel void cancels(device float* out [[buffer(0)]], uint i [[thread_index_in_threadgroup]]) {
  const float terms[4] = {1e8f, 1.f, -1e8f, 1.f};
  out[i] = simd_sum(terms[i % 4]);
}

kernel void needs_denormals(device float* out [[buffer(0)]], device const float* tiny [[buffer(1)]],
                            uint i [[thread_index_in_threadgroup]]) {
  out[i] = tiny[i] * 0.5f * 1e38f;
}

// a·a - b·b, of equal a and b: zero, unless one of the products is kept exact inside an fma.
kernel void needs_no_contraction(device float* out [[buffer(0)]], device const float* in [[buffer(1)]],
                                 uint i [[thread_index_in_threadgroup]]) {
  out[i] = in[i] * in[i] - in[255 - i] * in[255 - i];
}

kernel void needs_an_exact_exp(device float* out [[buffer(0)]], device const float* in [[buffer(1)]],
                               uint i [[thread_index_in_threadgroup]]) {
  out[i] = exp(in[i]);
}

[[max_total_threads_per_threadgroup(256)]] kernel void sound(device float* out [[buffer(0)]], uint i [[thread_index_in_threadgroup]]) {
  threadgroup float shared[256];
  shared[i] = i;
  threadgroup_barrier(mem_flags::mem_threadgroup);
  out[i] = shared[255 - i];
}
