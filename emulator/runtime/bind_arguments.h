// From a table of arguments to a call: included by the code that the rewriter appends to a kernel file.
//
// The *types* of a kernel's parameters come from template deduction over its function pointer, the *roles* from the
// attributes that the rewriter read. Both are constants, so each call folds to a handful of loads.
#pragma once

#include "kernel_table.h"

#define MSL_INLINE __attribute__((always_inline))

namespace msl {

template <class Parameter>
struct Bound;

template <class T>
struct Bound<T&> {
  MSL_INLINE static T& of(const Argument& a, const Bindings& b, const Position&) {
    return *(T*)(a.role == Role::threadgroup_memory ? b.threadgroup : b.buffer)[a.index];
  }
};

template <class T>
struct Bound<T*> {
  MSL_INLINE static T* of(const Argument& a, const Bindings& b, const Position&) {
    return (T*)(a.role == Role::threadgroup_memory ? b.threadgroup : b.buffer)[a.index];
  }
};

template <>
struct Bound<unsigned> {
  MSL_INLINE static unsigned of(const Argument& a, const Bindings&, const Position& p) {
    return p.value[(int)a.role][0];
  }
};

template <>
struct Bound<unsigned short> {
  MSL_INLINE static unsigned short of(const Argument& a, const Bindings&, const Position& p) {
    return (unsigned short)p.value[(int)a.role][0];
  }
};

template <class T>
struct Bound<metal::vec<T, 2>> {
  MSL_INLINE static metal::vec<T, 2> of(const Argument& a, const Bindings&, const Position& p) {
    const unsigned* v = p.value[(int)a.role];
    return metal::vec<T, 2>((T)v[0], (T)v[1]);
  }
};

template <class T>
struct Bound<metal::vec<T, 3>> {
  MSL_INLINE static metal::vec<T, 3> of(const Argument& a, const Bindings&, const Position& p) {
    const unsigned* v = p.value[(int)a.role];
    return metal::vec<T, 3>((T)v[0], (T)v[1], (T)v[2]);
  }
};

template <int... I>
struct Indices {};
template <int N, int... I>
struct IndicesBelow : IndicesBelow<N - 1, N - 1, I...> {};
template <int... I>
struct IndicesBelow<0, I...> {
  typedef Indices<I...> type;
};

template <class... P, int... I>
MSL_INLINE inline void call_each(void (*kernel)(P...), const Argument* a, const Bindings& b, const Position& p,
                                 Indices<I...>) {
  kernel(Bound<P>::of(a[I], b, p)...);
}

template <int N, class... P>
MSL_INLINE inline void call(void (*kernel)(P...), const Argument (&a)[N], const Bindings& b, const Position& p) {
  static_assert(N == sizeof...(P), "the rewriter's table does not match the kernel's parameters");
  call_each(kernel, a, b, p, typename IndicesBelow<N>::type());
}

template <class T>
struct SizeOfReference {
  static constexpr unsigned value = 0;
};
template <class T>
struct SizeOfReference<T&> {
  static constexpr unsigned value = sizeof(T);
};

// Registers at load: the sizes of what references point to are the compiler's to say, not the rewriter's.
struct RegisterKernel {
  Kernel kernel;

  template <int N, class... P>
  RegisterKernel(const char* name, unsigned max_threads, Argument (&arguments)[N], void (*)(P...),
                 void (*run)(const Bindings&, const Position&))
      : kernel{name, arguments, N, max_threads, run, nullptr} {
    const unsigned sizes[] = {SizeOfReference<P>::value...};
    for (int i = 0; i < N; i++) {
      if (arguments[i].role == Role::buffer) arguments[i].size = sizes[i];
    }
    msl_register_kernel(&kernel);
  }
};

struct RegisterConstant {
  Constant constant;

  RegisterConstant(int index, void* address, unsigned size, const char* name, void (*derive)())
      : constant{index, address, size, name, derive, false, nullptr} {
    msl_register_constant(&constant);
  }
};

}  // namespace msl
