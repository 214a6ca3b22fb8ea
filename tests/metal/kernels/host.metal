#include <metal_stdlib>
using namespace metal;

// Kernels for the tests of the fake Objective-C runtime.

struct Factor {
  uint count;
  float by;
};

kernel void scale(constant Factor& factor [[buffer(0)]], device const float* in [[buffer(1)]],
                  device float* out [[buffer(2)]], uint i [[thread_position_in_grid]]) {
  if (i < factor.count) out[i] = factor.by * in[i];
}

kernel void shared_sum(device float* out [[buffer(0)]], threadgroup float* shared [[threadgroup(0)]],
                       uint i [[thread_index_in_threadgroup]]) {
  shared[i] = i;
  threadgroup_barrier(mem_flags::mem_threadgroup);
  out[i] = shared[31 - i];
}

struct Pointers {
  device const float* in;
};

kernel void follow(constant Pointers& pointers [[buffer(0)]], device float* out [[buffer(1)]],
                   uint i [[thread_position_in_grid]]) {
  out[i] = pointers.in[i];
}

constant float offset [[function_constant(3)]];
constant bool has_bias [[function_constant(4)]];

kernel void shift(device float* out [[buffer(0)]], device const float* bias [[buffer(1), function_constant(has_bias)]],
                  uint i [[thread_position_in_grid]]) {
  out[i] = offset + (has_bias ? bias[i] : 0.f);
}
