// What the lanes of a SIMD group (32) or of a quad (4) do together, and barriers: <metal_compute>, <metal_simdgroup>.
//
// A lane that comes to such an operation waits until all lanes of its group that can come are there (msl_together);
// then each sees what every active lane brought.
#pragma once
#pragma clang system_header
#include "math.h"

namespace metal {

enum class mem_flags { mem_none = 0, mem_device = 1, mem_threadgroup = 2, mem_texture = 4 };
constexpr mem_flags operator|(mem_flags a, mem_flags b) { return (mem_flags)((int)a | (int)b); }

MSL_COLLECTIVE void threadgroup_barrier(mem_flags flags, MSL_PLACE) {
  msl_threadgroup_barrier((unsigned)flags, file_, line_);
}
MSL_COLLECTIVE void simdgroup_barrier(mem_flags flags, MSL_PLACE) {
  msl_simdgroup_barrier((unsigned)flags, file_, line_);
}

// ---- shuffles ----

// What an operation gives where the GPU gives anything: NaN as a float, -1 as a number.
template <class T>
MSL_UNWATCHED T msl_undefined() {
  T t;
  __builtin_memset(&t, 0xff, sizeof t);
  return t;
}
template <class T>
MSL_UNWATCHED T msl_brought(const msl_exchange* x, unsigned lane) {
  T t;
  __builtin_memcpy(&t, x->in[lane], sizeof t);
  return t;
}
template <class T>
MSL_COLLECTIVE T msl_shuffle(T value, unsigned from, unsigned width, const MSL_LITERAL char* file, unsigned line) {
  static_assert(sizeof(T) <= 64, "shuffle of more than 64 bytes");
  const msl_exchange* x = msl_together(&value, sizeof value, width, file, line);
  if (from < 32 && (x->active >> from & 1)) return msl_brought<T>(x, from);
  msl_absent_lane(from, file, line);
  return msl_undefined<T>();
}

template <class T>
MSL_COLLECTIVE T simd_shuffle(T value, ushort lane, MSL_PLACE) {
  return msl_shuffle(value, lane, 32, file_, line_);
}
template <class T>
MSL_COLLECTIVE T simd_broadcast(T value, ushort lane, MSL_PLACE) {
  return msl_shuffle(value, lane, 32, file_, line_);
}
template <class T>
MSL_COLLECTIVE T simd_broadcast_first(T value, MSL_PLACE) {
  const msl_exchange* x = msl_together(&value, sizeof value, 32, file_, line_);
  return msl_brought<T>(x, __builtin_ctz(x->active));
}
template <class T>
MSL_COLLECTIVE T simd_shuffle_xor(T value, ushort mask, MSL_PLACE) {
  return msl_shuffle(value, msl_lane() ^ mask, 32, file_, line_);
}
// Beyond the end a lane keeps its own value.
template <class T>
MSL_COLLECTIVE T simd_shuffle_down(T value, ushort delta, MSL_PLACE) {
  const unsigned from = msl_lane() + delta;
  return msl_shuffle(value, from > 31 ? msl_lane() : from, 32, file_, line_);
}
template <class T>
MSL_COLLECTIVE T simd_shuffle_up(T value, ushort delta, MSL_PLACE) {
  const unsigned from = msl_lane() - delta;
  return msl_shuffle(value, from > 31 ? msl_lane() : from, 32, file_, line_);
}
template <class T>
MSL_COLLECTIVE T simd_shuffle_rotate_down(T value, ushort delta, MSL_PLACE) {
  return msl_shuffle(value, (msl_lane() + delta) & 31, 32, file_, line_);
}
template <class T>
MSL_COLLECTIVE T simd_shuffle_rotate_up(T value, ushort delta, MSL_PLACE) {
  return msl_shuffle(value, (msl_lane() - delta) & 31, 32, file_, line_);
}
// Beyond the end of `modulo` lanes comes what `fill` has at its beginning.
template <class T>
MSL_COLLECTIVE T simd_shuffle_and_fill_down(T value, T fill, ushort delta, ushort modulo = 32, MSL_PLACE) {
  const unsigned lane = msl_lane(), at = lane % modulo + delta, first = lane - lane % modulo;
  const T kept = msl_shuffle(value, at < modulo ? first + at : lane, 32, file_, line_);
  const T filled = msl_shuffle(fill, at < modulo ? lane : first + at % modulo, 32, file_, line_ + 0x80000000u);
  return at < modulo ? kept : filled;
}
template <class T>
MSL_COLLECTIVE T simd_shuffle_and_fill_up(T value, T fill, ushort delta, ushort modulo = 32, MSL_PLACE) {
  const unsigned lane = msl_lane(), at = lane % modulo, first = lane - lane % modulo;
  const T kept = msl_shuffle(value, at >= delta ? lane - delta : lane, 32, file_, line_);
  const T filled =
      msl_shuffle(fill, at >= delta ? lane : first + (at + modulo - delta) % modulo, 32, file_, line_ + 0x80000000u);
  return at >= delta ? kept : filled;
}
template <class T>
MSL_COLLECTIVE T quad_shuffle(T value, ushort lane, MSL_PLACE) {
  return msl_shuffle(value, (msl_lane() & ~3u) + lane, 4, file_, line_);
}
template <class T>
MSL_COLLECTIVE T quad_broadcast(T value, ushort lane, MSL_PLACE) {
  return msl_shuffle(value, (msl_lane() & ~3u) + lane, 4, file_, line_);
}
template <class T>
MSL_COLLECTIVE T quad_shuffle_xor(T value, ushort mask, MSL_PLACE) {
  return msl_shuffle(value, msl_lane() ^ (mask & 3), 4, file_, line_);
}
template <class T>
MSL_COLLECTIVE T quad_shuffle_down(T value, ushort delta, MSL_PLACE) {
  const unsigned lane = msl_lane();
  return msl_shuffle(value, (lane & 3) + delta > 3 ? lane : lane + delta, 4, file_, line_);
}
template <class T>
MSL_COLLECTIVE T quad_shuffle_up(T value, ushort delta, MSL_PLACE) {
  const unsigned lane = msl_lane();
  return msl_shuffle(value, (lane & 3) < delta ? lane : lane - delta, 4, file_, line_);
}

// ---- reductions: a tree, as the hardware has it; or, when the run asks, one after the other in another order ----

template <class T, class F>
MSL_UNWATCHED T msl_reduced(const msl_exchange* x, unsigned first, unsigned width, F f, T identity) {
  T value[32];
  for (unsigned i = 0; i < width; i++) {
    const unsigned lane = first + i;
    value[i] = identity;
    if (x->active >> lane & 1) value[i] = msl_brought<T>(x, lane);
  }
  if (x->reorder) {
    T sum = identity;
    for (unsigned i = 0; i < 32; i++) {
      if (x->order[i] < width) sum = f(sum, value[x->order[i]]);
    }
    return sum;
  }
  for (unsigned half_width = width / 2; half_width; half_width /= 2) {
    for (unsigned i = 0; i < half_width; i++) value[i] = f(value[i], value[i + half_width]);
  }
  return value[0];
}
template <class T, class F>
MSL_COLLECTIVE T msl_reduce(T value, F f, T identity, const MSL_LITERAL char* file, unsigned line) {
  msl_exchange* x = msl_together(&value, sizeof value, 32, file, line);
  T result;
  if (x->done) {
    __builtin_memcpy(&result, x->out, sizeof result);
    return result;
  }
  result = msl_reduced(x, 0, 32, f, identity);
  __builtin_memcpy(x->out, &result, sizeof result);
  x->done = 1;
  return result;
}
template <class T, class F>
MSL_COLLECTIVE T msl_reduce_quad(T value, F f, T identity, const MSL_LITERAL char* file, unsigned line) {
  const msl_exchange* x = msl_together(&value, sizeof value, 4, file, line);
  return msl_reduced(x, msl_lane() & ~3u, 4, f, identity);
}

template <class T>
struct msl_extremes {
  static T highest() { return numeric_limits<T>::max(); }
  static T lowest() { return numeric_limits<T>::lowest(); }
};
template <>
struct msl_extremes<float> {
  static float highest() { return INFINITY; }
  static float lowest() { return -INFINITY; }
};
template <>
struct msl_extremes<half> {
  static half highest() { return (half)INFINITY; }
  static half lowest() { return (half)-INFINITY; }
};
template <class T, int N>
struct msl_extremes<vec<T, N>> {
  static vec<T, N> highest() { return vec<T, N>(msl_extremes<T>::highest()); }
  static vec<T, N> lowest() { return vec<T, N>(msl_extremes<T>::lowest()); }
};
#define MSL_REDUCTION(name, e, identity)                                 \
  struct msl_##name {                                                    \
    template <class T>                                                   \
    T operator()(T a, T b) const {                                       \
      return e;                                                          \
    }                                                                    \
  };                                                                     \
  template <class T>                                                     \
  MSL_COLLECTIVE T simd_##name(T value, MSL_PLACE) {                     \
    return msl_reduce(value, msl_##name(), identity, file_, line_);      \
  }                                                                      \
  template <class T>                                                     \
  MSL_COLLECTIVE T quad_##name(T value, MSL_PLACE) {                     \
    return msl_reduce_quad(value, msl_##name(), identity, file_, line_); \
  }
MSL_REDUCTION(sum, T(a + b), T(0))
MSL_REDUCTION(product, T(a* b), T(1))
MSL_REDUCTION(max, max(a, b), msl_extremes<T>::lowest())
MSL_REDUCTION(min, min(a, b), msl_extremes<T>::highest())
MSL_REDUCTION(and, T(a& b), T(~T(0)))
MSL_REDUCTION(or, T(a | b), T(0))
MSL_REDUCTION(xor, T(a ^ b), T(0))
#undef MSL_REDUCTION

#define MSL_PREFIX(name, op, identity)                                            \
  template <class T>                                                              \
  MSL_COLLECTIVE T simd_prefix_inclusive_##name(T value, MSL_PLACE) {             \
    const msl_exchange* x = msl_together(&value, sizeof value, 32, file_, line_); \
    T r = identity;                                                               \
    for (unsigned i = 0; i <= msl_lane(); i++) {                                  \
      if (x->active >> i & 1) r = r op msl_brought<T>(x, i);                      \
    }                                                                             \
    return r;                                                                     \
  }                                                                               \
  template <class T>                                                              \
  MSL_COLLECTIVE T simd_prefix_exclusive_##name(T value, MSL_PLACE) {             \
    const msl_exchange* x = msl_together(&value, sizeof value, 32, file_, line_); \
    T r = identity;                                                               \
    for (unsigned i = 0; i < msl_lane(); i++) {                                   \
      if (x->active >> i & 1) r = r op msl_brought<T>(x, i);                      \
    }                                                                             \
    return r;                                                                     \
  }
MSL_PREFIX(sum, +, T(0))
MSL_PREFIX(product, *, T(1))
#undef MSL_PREFIX

// ---- votes ----

struct simd_vote {
  ulong v;
  typedef ulong vote_t;
  explicit operator ulong() const { return v; }
  bool all() const { return v == 0xffffffffu; }
  bool any() const { return v != 0; }
};
MSL_COLLECTIVE ulong msl_votes(bool vote, unsigned width, const MSL_LITERAL char* file, unsigned line) {
  const msl_exchange* x = msl_together(&vote, 1, width, file, line);
  ulong votes = 0;
  for (unsigned i = 0; i < 32; i++) {
    if ((x->active >> i & 1) && x->in[i][0]) votes |= 1ul << i;
  }
  return votes;
}
MSL_COLLECTIVE simd_vote simd_ballot(bool vote, MSL_PLACE) { return simd_vote{msl_votes(vote, 32, file_, line_)}; }
MSL_COLLECTIVE simd_vote simd_active_threads_mask(MSL_PLACE) { return simd_vote{msl_votes(true, 32, file_, line_)}; }
MSL_COLLECTIVE bool simd_any(bool vote, MSL_PLACE) { return msl_votes(vote, 32, file_, line_) != 0; }
MSL_COLLECTIVE bool simd_all(bool vote, MSL_PLACE) { return msl_votes(!vote, 32, file_, line_) == 0; }
MSL_COLLECTIVE bool simd_is_first(MSL_PLACE) {
  return msl_lane() == (unsigned)__builtin_ctzl(msl_votes(true, 32, file_, line_));
}
MSL_COLLECTIVE bool quad_any(bool vote, MSL_PLACE) {
  return (msl_votes(vote, 4, file_, line_) >> (msl_lane() & ~3u) & 15) != 0;
}
MSL_COLLECTIVE bool quad_all(bool vote, MSL_PLACE) {
  return (msl_votes(!vote, 4, file_, line_) >> (msl_lane() & ~3u) & 15) == 0;
}

}  // namespace metal
using metal::mem_flags;  // known outside the namespace, too
