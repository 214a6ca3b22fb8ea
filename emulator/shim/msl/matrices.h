// simdgroup_matrix<T, 8, 8>: 64 elements, two a lane, in the places that Apple's hardware gives them:
// <metal_simdgroup_matrix>.
//
//        columns  0 1   2 3   4 5   6 7
//   row 0  lanes   0     1     8     9         row = (lane / 4 & 4) + (lane / 2) % 4
//   row 1          2     3    10    11         column = (lane / 8 & 1) * 4 + (lane % 2) * 2
//   row 2          4     5    12    13
//   row 3          6     7    14    15
//   row 4         16    17    24    25   …
#pragma once
#pragma clang system_header
#include "simdgroups.h"

namespace metal {

inline unsigned msl_row(unsigned lane) { return (lane / 4 & 4) + (lane / 2) % 4; }
inline unsigned msl_column(unsigned lane) { return (lane / 8 & 1) * 4 + (lane % 2) * 2; }

template <class T, int C, int R>
struct simdgroup_matrix;
template <class T>
struct simdgroup_matrix<T, 8, 8> {
  vec<T, 2> e;
  simdgroup_matrix() = default;
  explicit simdgroup_matrix(T diagonal) {
    const unsigned row = msl_row(msl_lane()), column = msl_column(msl_lane());
    e.d[0] = row == column ? diagonal : T(0);
    e.d[1] = row == column + 1 ? diagonal : T(0);
  }
  vec<T, 2>& thread_elements() { return e; }
  const vec<T, 2>& thread_elements() const { return e; }
};
typedef simdgroup_matrix<float, 8, 8> simdgroup_float8x8;
typedef simdgroup_matrix<half, 8, 8> simdgroup_half8x8;
typedef simdgroup_matrix<bfloat, 8, 8> simdgroup_bfloat8x8;

// These read and write the kernel's memory: not inlined into the collective, so that races are looked for.
template <class Pointer>
__attribute__((noinline)) inline msl_element<Pointer> msl_load(Pointer p) {
  return *p;
}
template <class Pointer, class T>
__attribute__((noinline)) inline void msl_store(Pointer p, T value) {
  *p = value;
}

// All 32 lanes take part, with the same arguments; memory is not ordered by it.
MSL_COLLECTIVE void msl_all_lanes_agree(ulong address, ulong stride, const MSL_LITERAL char* file, unsigned line) {
  struct Said {
    ulong address, stride;
  } said = {address, stride};
  const msl_exchange* x = msl_together(&said, sizeof said, 32, file, line);
  if (x->active != ~0u) msl_assertion_failed("a simdgroup_matrix operation has all lanes", file, line);
  const Said first = msl_brought<Said>(x, 0);
  if (first.address != address || first.stride != stride) {
    msl_assertion_failed("the lanes of a simdgroup_matrix operation have the same arguments", file, line);
  }
}
template <class T, class Pointer>
MSL_COLLECTIVE void simdgroup_load(simdgroup_matrix<T, 8, 8>& m, Pointer from, ulong stride = 8, ulong2 origin = 0,
                                   bool transposed = false, MSL_PLACE) {
  static_assert(is_same<msl_element<Pointer>, T>::value, "simdgroup_load: the element types differ");
  msl_all_lanes_agree((ulong)from, stride, file_, line_);
  const ulong row = msl_row(msl_lane()) + origin.d[1], column = msl_column(msl_lane()) + origin.d[0];
  for (unsigned i = 0; i < 2; i++) {
    m.e.d[i] = msl_load(transposed ? from + (column + i) * stride + row : from + row * stride + column + i);
  }
}
template <class T, class Pointer>
MSL_COLLECTIVE void simdgroup_store(const simdgroup_matrix<T, 8, 8>& m, Pointer to, ulong stride = 8, ulong2 origin = 0,
                                    bool transposed = false, MSL_PLACE) {
  static_assert(is_same<msl_element<Pointer>, T>::value, "simdgroup_store: the element types differ");
  msl_all_lanes_agree((ulong)to, stride, file_, line_);
  const ulong row = msl_row(msl_lane()) + origin.d[1], column = msl_column(msl_lane()) + origin.d[0];
  for (unsigned i = 0; i < 2; i++) {
    msl_store(transposed ? to + (column + i) * stride + row : to + row * stride + column + i, T(m.e.d[i]));
  }
}
template <class T, int N, int M = N>
inline simdgroup_matrix<T, N, M> make_filled_simdgroup_matrix(T value) {
  simdgroup_matrix<T, N, M> m;
  m.e = vec<T, 2>(value);
  return m;
}
template <class T, int N, int M = N>
inline simdgroup_matrix<T, N, M> make_diagonal_simdgroup_matrix(T value) {
  return simdgroup_matrix<T, N, M>(value);
}

// d = a·b + c in f32, rounded to D at the end; k upwards from c, or (another order asked for) c last.
typedef float msl_row_of_8 __attribute__((ext_vector_type(8)));
MSL_UNWATCHED void msl_multiply(msl_exchange* x) {
  float a[8][8];
  msl_row_of_8 b[8], c[8], *out = (msl_row_of_8*)x->out;
  for (unsigned lane = 0; lane < 32; lane++) {
    const float* in = (const float*)x->in[lane];
    for (unsigned i = 0; i < 2; i++) {
      const unsigned row = msl_row(lane), column = msl_column(lane) + i;
      a[row][column] = in[i];
      b[row][column] = in[2 + i];
      c[row][column] = in[4 + i];
    }
  }
  for (int row = 0; row < 8; row++) {
    msl_row_of_8 sum = x->reorder ? msl_row_of_8(0.f) : c[row];
    for (int k = 0; k < 8; k++) {
      const int at = x->reorder ? 7 - k : k;
      sum += a[row][at] * b[at];
    }
    out[row] = x->reorder ? sum + c[row] : sum;
  }
  x->done = 1;
}
template <class D, class A, class B, class C>
MSL_COLLECTIVE void simdgroup_multiply_accumulate(simdgroup_matrix<D, 8, 8>& d, const simdgroup_matrix<A, 8, 8>& a,
                                                  const simdgroup_matrix<B, 8, 8>& b,
                                                  const simdgroup_matrix<C, 8, 8>& c, MSL_PLACE) {
  const float in[6] = {(float)a.e.d[0], (float)a.e.d[1], (float)b.e.d[0],
                       (float)b.e.d[1], (float)c.e.d[0], (float)c.e.d[1]};
  msl_exchange* x = msl_together(in, sizeof in, 32, file_, line_);
  if (x->active != ~0u) msl_assertion_failed("simdgroup_multiply_accumulate has all lanes", file_, line_);
  if (!x->done) msl_multiply(x);
  const float(*out)[8] = (const float(*)[8])x->out;
  const unsigned row = msl_row(msl_lane()), column = msl_column(msl_lane());
  d.e.d[0] = (D)out[row][column];
  d.e.d[1] = (D)out[row][column + 1];
}
template <class D, class A, class B>
MSL_COLLECTIVE void simdgroup_multiply(simdgroup_matrix<D, 8, 8>& d, const simdgroup_matrix<A, 8, 8>& a,
                                       const simdgroup_matrix<B, 8, 8>& b, MSL_PLACE) {
  const simdgroup_matrix<D, 8, 8> zero = make_filled_simdgroup_matrix<D, 8>(D(0));
  simdgroup_multiply_accumulate(d, a, b, zero, file_, line_);
}

}  // namespace metal
