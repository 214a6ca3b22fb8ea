// Type traits and limits: <metal_type_traits>, <metal_limits>.
#pragma once
#pragma clang system_header
#include "base.h"

namespace metal {

template <class T, T V>
struct integral_constant {
  static constexpr T value = V;
  typedef T value_type;
  constexpr operator T() const { return V; }
};
typedef integral_constant<bool, true> true_type;
typedef integral_constant<bool, false> false_type;

template <class A, class B>
struct is_same : false_type {};
template <class A>
struct is_same<A, A> : true_type {};
template <class A, class B>
constexpr bool is_same_v = is_same<A, B>::value;

template <bool B, class T = void>
struct enable_if {};
template <class T>
struct enable_if<true, T> {
  typedef T type;
};
template <bool B, class T = void>
using enable_if_t = typename enable_if<B, T>::type;

template <bool B, class X, class Y>
struct conditional {
  typedef X type;
};
template <class X, class Y>
struct conditional<false, X, Y> {
  typedef Y type;
};
template <bool B, class X, class Y>
using conditional_t = typename conditional<B, X, Y>::type;

template <class T>
struct remove_const {
  typedef T type;
};
template <class T>
struct remove_const<const T> {
  typedef T type;
};
template <class T>
struct remove_volatile {
  typedef T type;
};
template <class T>
struct remove_volatile<volatile T> {
  typedef T type;
};
template <class T>
struct remove_cv {
  typedef typename remove_const<typename remove_volatile<T>::type>::type type;
};
template <class T>
using remove_cv_t = typename remove_cv<T>::type;
template <class T>
struct remove_reference {
  typedef T type;
};
template <class T>
struct remove_reference<T&> {
  typedef T type;
};
template <class T>
using remove_reference_t = typename remove_reference<T>::type;
template <class T>
struct remove_pointer {
  typedef T type;
};
template <class T>
struct remove_pointer<T*> {
  typedef T type;
};
template <class T>
using remove_pointer_t = typename remove_pointer<T>::type;

// T without its address space: on the host there is none.
template <class T>
struct msl_without_space {
  typedef T type;
};
#ifdef MSL_CHECKS_SPACES
template <class T>
struct msl_without_space<__global T> {
  typedef T type;
};
template <class T>
struct msl_without_space<__local T> {
  typedef T type;
};
template <class T>
struct msl_without_space<__constant T> {
  typedef T type;
};
template <class T>
struct msl_without_space<__private T> {
  typedef T type;
};
#endif
// What a pointer points to, without const and space.
template <class Pointer>
using msl_element = remove_cv_t<typename msl_without_space<remove_pointer_t<Pointer>>::type>;

template <class T>
struct msl_is_float : false_type {};
template <>
struct msl_is_float<float> : true_type {};
template <>
struct msl_is_float<half> : true_type {};
template <>
struct msl_is_float<bfloat> : true_type {};
template <class T>
struct is_floating_point : msl_is_float<remove_cv_t<T>> {};
template <class T>
constexpr bool is_floating_point_v = is_floating_point<T>::value;
template <class T>
struct is_integral : integral_constant<bool, __is_integral(T)> {};
template <class T>
constexpr bool is_integral_v = is_integral<T>::value;
template <class T>
struct is_signed : integral_constant<bool, is_floating_point<T>::value || (T(-1) < T(0))> {};
template <class T>
constexpr bool is_signed_v = is_signed<T>::value;
template <class T>
struct is_unsigned : integral_constant<bool, !is_signed<T>::value> {};
template <class T>
constexpr bool is_unsigned_v = is_unsigned<T>::value;
template <class T>
struct is_arithmetic : integral_constant<bool, is_floating_point<T>::value || is_integral<T>::value> {};
template <class T>
constexpr bool is_arithmetic_v = is_arithmetic<T>::value;

template <class T>
struct numeric_limits;

template <class T>
struct msl_integer_limits {
  static constexpr bool is_signed = T(-1) < T(0);
  static constexpr int digits = 8 * sizeof(T) - is_signed;
  static constexpr T max() { return is_signed ? T(((ulong)1 << (8 * sizeof(T) - 1)) - 1) : T(-1); }
  static constexpr T min() { return is_signed ? T(-max() - 1) : T(0); }
  static constexpr T lowest() { return min(); }
};
#define MSL_LIMITS(T) \
  template <>         \
  struct numeric_limits<T> : msl_integer_limits<T> {};
MSL_LIMITS(char)
MSL_LIMITS(signed char)
MSL_LIMITS(uchar)
MSL_LIMITS(short)
MSL_LIMITS(ushort)
MSL_LIMITS(int)
MSL_LIMITS(uint)
MSL_LIMITS(long)
MSL_LIMITS(ulong)
#undef MSL_LIMITS

#define MSL_LIMITS(T, MIN, MAX, EPSILON)                             \
  template <>                                                        \
  struct numeric_limits<T> {                                         \
    static constexpr T min() { return (T)MIN; }                      \
    static constexpr T max() { return (T)MAX; }                      \
    static constexpr T lowest() { return (T) - MAX; }                \
    static constexpr T epsilon() { return (T)EPSILON; }              \
    static constexpr T infinity() { return (T)__builtin_inff(); }    \
    static constexpr T quiet_NaN() { return (T)__builtin_nanf(""); } \
  };
MSL_LIMITS(float, FLT_MIN, FLT_MAX, FLT_EPSILON)
MSL_LIMITS(half, 6.103515625e-05f, 65504.f, 9.765625e-04f)
#ifndef MSL_CHECKS_SPACES
MSL_LIMITS(bfloat, FLT_MIN, 3.38953139e38f, 7.8125e-03f)
#endif
#undef MSL_LIMITS

template <class To, class From>
inline To msl_as_type(const From& from) {
  static_assert(sizeof(To) == sizeof(From), "as_type: sizes differ");
  To to;
  __builtin_memcpy(&to, &from, sizeof to);
  return to;
}

}  // namespace metal
#define as_type metal::msl_as_type
