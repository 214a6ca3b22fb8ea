// Atomics and fences: <metal_atomic>.
#pragma once
#pragma clang system_header
#include "simdgroups.h"

#ifdef MSL_CHECKS_SPACES  // OpenCL has types of these names
#define atomic_int msl_atomic_int
#define atomic_uint msl_atomic_uint
#define atomic_float msl_atomic_float
#define atomic_bool msl_atomic_bool
#define atomic_ulong msl_atomic_ulong
#endif

namespace metal {

enum memory_order {
  memory_order_relaxed = 0,
  memory_order_acquire = 2,
  memory_order_release = 3,
  memory_order_acq_rel = 4,
  memory_order_seq_cst = 5
};
enum thread_scope {
  thread_scope_thread,
  thread_scope_simdgroup,
  thread_scope_threadgroup,
  thread_scope_device,
  thread_scope_system
};
// The emulator runs its threads one at a time, so a fence has nothing to do; and the race checker gives it no credit.
inline void atomic_thread_fence(mem_flags, memory_order, thread_scope = thread_scope_device) {}

template <class T>
struct atomic {
  T v;
};
typedef atomic<int> atomic_int;
typedef atomic<uint> atomic_uint;
typedef atomic<float> atomic_float;
typedef atomic<bool> atomic_bool;
typedef atomic<ulong> atomic_ulong;

#ifdef MSL_CHECKS_SPACES
// Which pointers an atomic takes is what is checked: those to device and to threadgroup memory.
template <class T>
using msl_plain = T;
#define MSL_ATOMIC_IN(space)                                              \
  template <class T>                                                      \
  T atomic_load_explicit(const volatile space atomic<T>*, memory_order);  \
  template <class T, class U>                                             \
  void atomic_store_explicit(volatile space atomic<T>*, U, memory_order); \
  template <class T, class U>                                             \
  T atomic_exchange_explicit(volatile space atomic<T>*, U, memory_order); \
  template <class T, class U>                                             \
  bool atomic_compare_exchange_weak_explicit(volatile space atomic<T>*, __private T*, U, memory_order, memory_order);
MSL_ATOMIC_IN(__global)
MSL_ATOMIC_IN(__local)
#define MSL_FETCH(name, e)                                                         \
  template <class T, class U>                                                      \
  T atomic_fetch_##name##_explicit(volatile __global atomic<T>*, U, memory_order); \
  template <class T, class U>                                                      \
  T atomic_fetch_##name##_explicit(volatile __local atomic<T>*, U, memory_order);
#else
template <class T>
inline T atomic_load_explicit(const volatile atomic<T>* p, memory_order) {
  T r;
  __atomic_load((const volatile T*)&p->v, &r, 0);
  return r;
}
template <class T, class U>
inline void atomic_store_explicit(volatile atomic<T>* p, U x, memory_order) {
  T value = (T)x;
  __atomic_store((volatile T*)&p->v, &value, 0);
}
template <class T, class U>
inline T atomic_exchange_explicit(volatile atomic<T>* p, U x, memory_order) {
  T value = (T)x, r;
  __atomic_exchange((volatile T*)&p->v, &value, &r, 0);
  return r;
}
template <class T, class U>
inline bool atomic_compare_exchange_weak_explicit(volatile atomic<T>* p, T* expected, U x, memory_order, memory_order) {
  T value = (T)x;
  return __atomic_compare_exchange((volatile T*)&p->v, expected, &value, true, 0, 0);
}
template <class T, class F>
inline T msl_read_modify_write(volatile atomic<T>* p, F f) {
  T old, changed;
  __atomic_load((volatile T*)&p->v, &old, 0);
  do {
    changed = f(old);
  } while (!__atomic_compare_exchange((volatile T*)&p->v, &old, &changed, true, 0, 0));
  return old;
}
#define MSL_FETCH(name, e)                                                            \
  template <class T>                                                                  \
  struct msl_fetch_##name {                                                           \
    T b;                                                                              \
    T operator()(T a) const { return e; }                                             \
  };                                                                                  \
  template <class T, class U>                                                         \
  inline T atomic_fetch_##name##_explicit(volatile atomic<T>* p, U x, memory_order) { \
    return msl_read_modify_write(p, msl_fetch_##name<T>{(T)x});                       \
  }
#endif
MSL_FETCH(add, a + b)
MSL_FETCH(sub, a - b)
MSL_FETCH(and, a& b)
MSL_FETCH(or, a | b)
MSL_FETCH(xor, a ^ b)
MSL_FETCH(min, b < a ? b : a)
MSL_FETCH(max, a < b ? b : a)
#undef MSL_FETCH

template <class T>
inline bool is_function_constant_defined(const T& value) {
  return msl_constant_is_set(&value);
}

}  // namespace metal
