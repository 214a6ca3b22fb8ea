// What every kernel here stands on.  Milestone M7.
//
// A kernel is a function that the GPU runs once per thread. 32 threads are a SIMD group: one instruction serves them
// all, and they can hand each other values. Up to 1,024 threads are a threadgroup: they run on one core, share up to
// 32 KB of fast memory, and can wait for each other (threadgroup_barrier). Threadgroups know nothing of each other.
//
//   device T*       memory that every thread sees: tensors           constant T&   small, read-only: arguments
//   threadgroup T*  memory that the threads of a group share         thread T*     a thread's own: registers
//
// No atomics on floats, and each sum in one order that depends on the shape alone: a run repeated gives the same bits.
#include <metal_stdlib>
using namespace metal;

// Two numbers of a thread of 32 in a matrix of 8 × 8: thread `lane` holds columns c and c + 1 of row r. (Metal does not
// document the order; MLX's mma.h relies on it, and so do we: `rung metal-check` looks.)
//
//        c:  0   1   2   3   4   5   6   7
//   r = 0    0   0   1   1   8   8   9   9         numbers: the lane that holds the place
//       1    2   2   3   3  10  10  11  11
//       2    4   4   5   5  12  12  13  13
//       3    6   6   7   7  14  14  15  15
//       4   16  16  17  17  24  24  25  25
//       …
inline ushort matrix_row(ushort lane) { return (lane / 4 & 4) + lane / 2 % 4; }
inline ushort matrix_column(ushort lane) { return (lane / 4 & 2) * 2 + lane % 2 * 2; }

inline simdgroup_float8x8 zero_matrix() { return make_filled_simdgroup_matrix<float, 8>(0.0f); }

inline void set_elements(thread simdgroup_float8x8& m, float2 two) {
  m.thread_elements()[0] = two.x;
  m.thread_elements()[1] = two.y;
}
inline float2 elements(thread simdgroup_float8x8& m) {
  return float2(m.thread_elements()[0], m.thread_elements()[1]);
}
