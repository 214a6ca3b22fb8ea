// Where a thread of an NVIDIA GPU stands, in Metal's words: what an entry hands to its kernel (bind_arguments.h).
#pragma once
#include "bind_arguments.h"

#define MSL_ENTRY extern "C" __attribute__((nvptx_kernel))
#define MSL_GLOBAL __attribute__((address_space(1)))

// Threadgroup memory that the host gives: an argument is where it begins in here.
extern __attribute__((address_space(3), aligned(16))) unsigned char msl_given[];

namespace msl {

MSL_INLINE inline void set(Position& p, Role role, unsigned x, unsigned y = 1, unsigned z = 1) {
  unsigned* const to = p.value[(int)role];
  to[0] = x, to[1] = y, to[2] = z;
}

MSL_INLINE inline Position position() {
  const unsigned x = __nvvm_read_ptx_sreg_tid_x(), y = __nvvm_read_ptx_sreg_tid_y(), z = __nvvm_read_ptx_sreg_tid_z();
  const unsigned a = __nvvm_read_ptx_sreg_ctaid_x(), b = __nvvm_read_ptx_sreg_ctaid_y(),
                 c = __nvvm_read_ptx_sreg_ctaid_z();
  const unsigned width = __nvvm_read_ptx_sreg_ntid_x(), height = __nvvm_read_ptx_sreg_ntid_y(),
                 depth = __nvvm_read_ptx_sreg_ntid_z();
  const unsigned index = x + width * (y + height * z);
  Position p;
  set(p, Role::thread_position_in_threadgroup, x, y, z);
  set(p, Role::threadgroup_position_in_grid, a, b, c);
  set(p, Role::thread_position_in_grid, a * width + x, b * height + y, c * depth + z);
  set(p, Role::threads_per_threadgroup, width, height, depth);
  set(p, Role::thread_index_in_threadgroup, index);
  set(p, Role::thread_index_in_simdgroup, index % 32);
  set(p, Role::simdgroup_index_in_threadgroup, index / 32);
  set(p, Role::threads_per_simdgroup, 32);
  set(p, Role::simdgroups_per_threadgroup, (width * height * depth + 31) / 32);
  return p;
}

}  // namespace msl
