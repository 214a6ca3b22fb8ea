#include <metal_stdlib>
using namespace metal;

// A kernel for each part of the language that the emulator knows; language_test.cpp says what each gives.
// One threadgroup of 64 threads, unless the test says otherwise.

// ---- how a kernel may be written ----

[[kernel]] void by_attribute(device float* out [[buffer(0)]], uint i [[thread_position_in_grid]]) { out[i] = 1; }

[[kernel, max_total_threads_per_threadgroup(64)]] void limited(device float* out [[buffer(0)]],
                                                               uint i [[thread_position_in_grid]]) {
  out[i] = 2;
}

template <typename T, int plus>
kernel void templated(device T* out [[buffer(0)]], uint i [[thread_position_in_grid]]) {
  out[i] = T(i + plus);
}
template [[host_name("templated_float_3")]] kernel void templated<float, 3>(device float*, uint);
typedef decltype(templated<float, 5>) templated_t;
template [[host_name("templated_float_5")]] [[kernel]] templated_t templated<float, 5>;

kernel void without_indices(device float* out, device const float* in, uint i [[thread_position_in_grid]]) {
  out[i] = in[i];
}

constant uint rows [[function_constant(0)]];
constant bool has_bias [[function_constant(1)]];
constant uint twice = rows * 2;

kernel void with_constants(device float* out [[buffer(0)]],
                           device const float* bias [[buffer(1), function_constant(has_bias)]],
                           uint i [[thread_position_in_grid]]) {
  out[i] = twice + (has_bias ? bias[i] : 0.f) + (is_function_constant_defined(rows) ? 0.f : 1000.f);
}

struct Tree {
  device const float* leaf;
  device const float* device* branch;
};

kernel void pointers_in_a_struct(device float* out [[buffer(0)]], constant Tree& tree [[buffer(1)]],
                                 uint i [[thread_position_in_grid]]) {
  out[i] = tree.leaf[i] + tree.branch[1][i];
}

// ---- where a thread is ----

kernel void positions(device uint* out [[buffer(0)]], uint3 grid [[thread_position_in_grid]],
                      uint3 group [[threadgroup_position_in_grid]], ushort3 within [[thread_position_in_threadgroup]],
                      uint index [[thread_index_in_threadgroup]], uint lane [[thread_index_in_simdgroup]],
                      uint simdgroup [[simdgroup_index_in_threadgroup]], uint quad_lane [[thread_index_in_quadgroup]],
                      uint quad [[quadgroup_index_in_threadgroup]], uint3 size [[threads_per_threadgroup]],
                      uint3 groups [[threadgroups_per_grid]], uint3 all [[threads_per_grid]],
                      uint width [[threads_per_simdgroup]], uint simdgroups [[simdgroups_per_threadgroup]],
                      uint quads [[quadgroups_per_threadgroup]]) {
  device uint* row = out + 16 * (grid.x + all.x * grid.y);
  row[0] = group.x + 10 * group.y;
  row[1] = within.x + 100 * within.y;
  row[2] = index;
  row[3] = lane;
  row[4] = simdgroup;
  row[5] = quad_lane;
  row[6] = quad;
  row[7] = size.x * size.y;
  row[8] = groups.x * groups.y;
  row[9] = all.x * all.y;
  row[10] = width;
  row[11] = simdgroups;
  row[12] = quads;
}

// ---- SIMD groups and quads ----

kernel void shuffles(device float* out [[buffer(0)]], uint i [[thread_position_in_grid]],
                     uint lane [[thread_index_in_simdgroup]]) {
  const float v = i;
  device float* row = out + 16 * i;
  row[0] = simd_shuffle(v, 5);
  row[1] = simd_shuffle_xor(v, 3);
  row[2] = simd_shuffle_down(v, 2);
  row[3] = simd_shuffle_up(v, 2);
  row[4] = simd_shuffle_rotate_down(v, 1);
  row[5] = simd_broadcast(v, 31);
  row[6] = simd_broadcast_first(v);
  row[7] = simd_shuffle_and_fill_down(v, 1000.f + v, 2);
  row[8] = simd_shuffle_and_fill_up(v, 1000.f + v, 2);
  row[9] = quad_shuffle_xor(v, 1);
  row[10] = quad_broadcast(v, 2);
  row[11] = quad_shuffle_down(v, 1);
  row[12] = quad_shuffle_up(v, 1);
}

kernel void reductions(device float* out [[buffer(0)]], uint i [[thread_position_in_grid]],
                       uint lane [[thread_index_in_simdgroup]]) {
  const float v = lane;
  device float* row = out + 16 * i;
  row[0] = simd_sum(v);
  row[1] = simd_max(v);
  row[2] = simd_min(v);
  row[3] = simd_product(lane < 4 ? v + 1 : 1.f);
  row[4] = simd_sum(half(1));
  row[5] = simd_max(half4(v, -v, 1, 2)).y;
  row[6] = quad_sum(v);
  row[7] = quad_max(v);
  row[8] = simd_and(lane | 8);
  row[9] = simd_or(lane);
  row[10] = simd_xor(lane);
  row[11] = simd_prefix_inclusive_sum(v);
  row[12] = simd_prefix_exclusive_sum(v);
  row[13] = simd_prefix_inclusive_product(lane < 3 ? 2.f : 1.f);
}

kernel void votes(device float* out [[buffer(0)]], uint i [[thread_position_in_grid]],
                  uint lane [[thread_index_in_simdgroup]]) {
  device float* row = out + 16 * i;
  row[0] = simd_any(lane == 7);
  row[1] = simd_all(lane < 32);
  row[2] = simd_all(lane != 7);
  row[3] = uint(ulong(simd_ballot(lane < 3)));
  row[4] = simd_is_first();
  row[5] = quad_any(lane == 5);
  row[6] = quad_all(lane != 5);
  row[7] = popcount(uint(ulong(simd_active_threads_mask())));
}

// ---- matrices ----

kernel void matrix_product(device float* out [[buffer(0)]], device const float* a [[buffer(1)]],
                           device const float* b [[buffer(2)]]) {
  simdgroup_float8x8 x, y, sum = make_filled_simdgroup_matrix<float, 8>(0.5f);
  simdgroup_load(x, a, 8);
  simdgroup_load(y, b, 8, ulong2(0, 0), true);
  simdgroup_multiply_accumulate(sum, x, y, sum);
  simdgroup_store(sum, out, 8);
}

kernel void half_matrix_product(device float* out [[buffer(0)]], device const half* a [[buffer(1)]]) {
  simdgroup_half8x8 x;
  simdgroup_load(x, a, 8);
  simdgroup_float8x8 sum(1.f);
  simdgroup_multiply_accumulate(sum, x, x, sum);
  simdgroup_store(sum, out, 8);
}

kernel void matrix_elements(device float* out [[buffer(0)]], uint lane [[thread_index_in_simdgroup]]) {
  simdgroup_float8x8 m;
  m.thread_elements()[0] = 2 * lane;
  m.thread_elements()[1] = 2 * lane + 1;
  simdgroup_store(m, out, 8);
}

// ---- memory ----

kernel void zeroed(device float* out [[buffer(0)]], uint i [[thread_index_in_threadgroup]]) {
  threadgroup float sums[64] = {0};
  if (i % 2) sums[i] = i;
  threadgroup_barrier(mem_flags::mem_threadgroup);
  out[i] = sums[i];
}

kernel void two_variables(device float* out [[buffer(0)]], uint i [[thread_index_in_threadgroup]]) {
  threadgroup float a[64], b[64];
  threadgroup float4 c;
  a[i] = i;
  b[i] = 100 + i;
  if (i == 0) c = float4(1, 2, 3, 4);
  threadgroup_barrier(mem_flags::mem_threadgroup);
  out[i] = a[63 - i] + b[63 - i] + c.w;
}

kernel void atomics(device atomic_uint* count [[buffer(0)]], device atomic_int* extremes [[buffer(1)]],
                    uint i [[thread_index_in_threadgroup]]) {
  atomic_fetch_add_explicit(count, 1u, memory_order_relaxed);
  atomic_fetch_max_explicit(extremes, int(i), memory_order_relaxed);
  atomic_fetch_min_explicit(extremes + 1, -int(i), memory_order_relaxed);
  atomic_thread_fence(mem_flags::mem_device, memory_order_seq_cst, thread_scope_device);
}

struct Block {
  half scale;
  char q[32];
};

kernel void blocks(device float* out [[buffer(0)]], device const Block* in [[buffer(1)]],
                   uint i [[thread_position_in_grid]]) {
  out[i] = float(in[i / 32].scale) * in[i / 32].q[i % 32];
}

kernel void neighbours(device float* out [[buffer(0)]], device const half4* in [[buffer(1)]],
                       uint i [[thread_position_in_grid]]) {
  const half4 v = in[i];
  out[i] = v.x + v.y + v.z + v.w;
}

kernel void strangers(device float* out [[buffer(0)]], device const half4* in [[buffer(1)]],
                      uint i [[thread_position_in_grid]]) {
  const half4 v = in[i * 16];  // a cache line each
  out[i] = v.x + v.y + v.z + v.w;
}

// ---- numbers ----

constant float table[4] = {1, 2, 4, 8};

kernel void numbers(device float* out [[buffer(0)]], uint i [[thread_position_in_grid]]) {
  const float odd = simd_max(1.00390625f);  // halfway between two bfloats: rounded to the even one
  if (i) return;
  float4 v(1, 2, 3, 4);
  v.xy = v.yx;
  out[0] = v.x * 10 + v.y;
  out[1] = dot(v, float4(1));
  out[2] = as_type<float>(as_type<uint>(1.5f) ^ 0x80000000u);
  out[3] = float(bfloat(odd));
  out[4] = half2(bfloat2(2.f, 3.f)).x;
  out[5] = select(1.f, 2.f, true);
  out[6] = clamp(5, 0, 3);
  out[7] = fma(2.f, 3.f, 1.f);
  out[8] = rsqrt(4.f);
  out[9] = float(as_type<half2>(0x3c004000u).y);
  out[10] = all(v > float4(0)) ? 1 : 0;
  out[11] = extract_bits(0xabcdu, 4, 8);
  out[12] = table[2];
  out[13] = length(float3(2, 3, 6));
  out[14] = max3(1, 7, 3);
  packed_float3 p(1, 2, 3);
  out[15] = p.z + sizeof(packed_float3) + sizeof(float3);
}
