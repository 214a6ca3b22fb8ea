// Functions of numbers: <metal_math>, <metal_integer>, <metal_relational>, <metal_geometric>.
//
// They are overloads for each type and never templates, so that a call that is ambiguous in Metal, max(half, 0), stays
// an error here. `exp` and its kin have an approximate form, for a run that asks for it (msl_approximate): what a GPU's
// own instructions give, whose error in exp grows with |x| (Metal Shading Language Specification, «Numerical
// Compliance»: fast exp within 3 + floor(|2x|) units in the last place).
#pragma once
#pragma clang system_header
#include "vectors.h"

namespace metal {

#define MSL_VECTOR_1(T, N, f)                       \
  inline vec<T, N> f(vec<T, N> a) {                 \
    vec<T, N> r;                                    \
    for (int i = 0; i < N; i++) r.d[i] = f(a.d[i]); \
    return r;                                       \
  }
#define MSL_VECTOR_2(T, N, f)                               \
  inline vec<T, N> f(vec<T, N> a, vec<T, N> b) {            \
    vec<T, N> r;                                            \
    for (int i = 0; i < N; i++) r.d[i] = f(a.d[i], b.d[i]); \
    return r;                                               \
  }
#define MSL_VECTOR_3(T, N, f)                                       \
  inline vec<T, N> f(vec<T, N> a, vec<T, N> b, vec<T, N> c) {       \
    vec<T, N> r;                                                    \
    for (int i = 0; i < N; i++) r.d[i] = f(a.d[i], b.d[i], c.d[i]); \
    return r;                                                       \
  }
#define MSL_WIDTHS(M, T, f) M(T, 2, f) M(T, 3, f) M(T, 4, f)

#define MSL_F1(f, e)                    \
  inline float f(float x) { return e; } \
  inline half f(half h) {               \
    float x = (float)h;                 \
    return (half)(e);                   \
  }                                     \
  inline bfloat f(bfloat h) {           \
    float x = (float)h;                 \
    return (bfloat)(e);                 \
  }                                     \
  MSL_WIDTHS(MSL_VECTOR_1, float, f)    \
  MSL_WIDTHS(MSL_VECTOR_1, half, f)
#define MSL_F2(f, e)                             \
  inline float f(float x, float y) { return e; } \
  inline half f(half h, half k) {                \
    float x = (float)h, y = (float)k;            \
    return (half)(e);                            \
  }                                              \
  MSL_WIDTHS(MSL_VECTOR_2, float, f)             \
  MSL_WIDTHS(MSL_VECTOR_2, half, f)
#define MSL_F3(f, e)                                      \
  inline float f(float x, float y, float z) { return e; } \
  inline half f(half h, half k, half l) {                 \
    float x = (float)h, y = (float)k, z = (float)l;       \
    return (half)(e);                                     \
  }                                                       \
  MSL_WIDTHS(MSL_VECTOR_3, float, f)                      \
  MSL_WIDTHS(MSL_VECTOR_3, half, f)

inline float msl_exp(float x) { return msl_approximate ? __builtin_exp2f(x * M_LOG2E_F) : __builtin_expf(x); }
inline float msl_log(float x) { return msl_approximate ? __builtin_log2f(x) * M_LN2_F : __builtin_logf(x); }
inline float msl_pow(float x, float y) {
  return msl_approximate ? __builtin_exp2f(y * __builtin_log2f(x)) : __builtin_powf(x, y);
}
inline float msl_tanh(float x) {
  if (!msl_approximate) return __builtin_tanhf(x);
  const float t = msl_exp(-2.f * __builtin_fabsf(x));
  return __builtin_copysignf((1.f - t) / (1.f + t), x);
}

#define MSL_FUNCTIONS                                      \
  MSL_F1(sqrt, __builtin_sqrtf(x))                         \
  MSL_F1(rsqrt, 1.0f / __builtin_sqrtf(x))                 \
  MSL_F1(exp, msl_exp(x))                                  \
  MSL_F1(exp2, __builtin_exp2f(x))                         \
  MSL_F1(exp10, msl_pow(10.f, x))                          \
  MSL_F1(log, msl_log(x))                                  \
  MSL_F1(log2, __builtin_log2f(x))                         \
  MSL_F1(log10, __builtin_log10f(x))                       \
  MSL_F1(sin, __builtin_sinf(x))                           \
  MSL_F1(cos, __builtin_cosf(x))                           \
  MSL_F1(tan, __builtin_tanf(x))                           \
  MSL_F1(asin, __builtin_asinf(x))                         \
  MSL_F1(acos, __builtin_acosf(x))                         \
  MSL_F1(atan, __builtin_atanf(x))                         \
  MSL_F1(sinh, __builtin_sinhf(x))                         \
  MSL_F1(cosh, __builtin_coshf(x))                         \
  MSL_F1(tanh, msl_tanh(x))                                \
  MSL_F1(asinh, __builtin_asinhf(x))                       \
  MSL_F1(acosh, __builtin_acoshf(x))                       \
  MSL_F1(atanh, __builtin_atanhf(x))                       \
  MSL_F1(floor, __builtin_floorf(x))                       \
  MSL_F1(ceil, __builtin_ceilf(x))                         \
  MSL_F1(round, __builtin_roundf(x))                       \
  MSL_F1(rint, __builtin_rintf(x))                         \
  MSL_F1(trunc, __builtin_truncf(x))                       \
  MSL_F1(fract, x - __builtin_floorf(x))                   \
  MSL_F1(fabs, __builtin_fabsf(x))                         \
  MSL_F1(abs, __builtin_fabsf(x))                          \
  MSL_F1(saturate, x < 0.f ? 0.f : x > 1.f ? 1.f : x)      \
  MSL_F1(sign, x > 0.f ? 1.f : x < 0.f ? -1.f : x)         \
  MSL_F2(pow, msl_pow(x, y))                               \
  MSL_F2(powr, msl_pow(x, y))                              \
  MSL_F2(fmod, __builtin_fmodf(x, y))                      \
  MSL_F2(divide, x / y)                                    \
  MSL_F2(atan2, __builtin_atan2f(x, y))                    \
  MSL_F2(copysign, __builtin_copysignf(x, y))              \
  MSL_F2(fmin, __builtin_fminf(x, y))                      \
  MSL_F2(fmax, __builtin_fmaxf(x, y))                      \
  MSL_F2(min, __builtin_fminf(x, y))                       \
  MSL_F2(max, __builtin_fmaxf(x, y))                       \
  MSL_F2(step, y < x ? 0.f : 1.f)                          \
  MSL_F2(fdim, x > y ? x - y : 0.f)                        \
  MSL_F3(fma, __builtin_fmaf(x, y, z))                     \
  MSL_F3(mix, x + (y - x) * z)                             \
  MSL_F3(clamp, __builtin_fminf(__builtin_fmaxf(x, y), z)) \
  MSL_F3(max3, __builtin_fmaxf(__builtin_fmaxf(x, y), z))  \
  MSL_F3(min3, __builtin_fminf(__builtin_fminf(x, y), z))  \
  inline float sincos(float x, float& c) {                 \
    c = __builtin_cosf(x);                                 \
    return __builtin_sinf(x);                              \
  }
MSL_FUNCTIONS
namespace precise {
MSL_FUNCTIONS
}
namespace fast {
MSL_FUNCTIONS
}

inline bfloat min(bfloat a, bfloat b) { return (float)b < (float)a ? b : a; }
inline bfloat max(bfloat a, bfloat b) { return (float)a < (float)b ? b : a; }
inline half sincos(half x, half& c) {
  c = cos(x);
  return sin(x);
}
inline float ldexp(float x, int e) { return __builtin_ldexpf(x, e); }
inline float erf(float x) { return __builtin_erff(x); }
inline bool isnan(float x) { return x != x; }
inline bool isinf(float x) { return __builtin_isinf(x); }
inline bool isfinite(float x) { return __builtin_isfinite(x); }
inline bool signbit(float x) { return __builtin_signbit(x); }
inline bool isnan(half x) { return x != x; }
inline bool isinf(half x) { return __builtin_isinf((float)x); }
inline bool isfinite(half x) { return __builtin_isfinite((float)x); }

#define MSL_INTEGER(T)                                        \
  inline T min(T a, T b) { return b < a ? b : a; }            \
  inline T max(T a, T b) { return a < b ? b : a; }            \
  inline T clamp(T x, T a, T b) { return min(max(x, a), b); } \
  inline T max3(T a, T b, T c) { return max(max(a, b), c); }  \
  inline T min3(T a, T b, T c) { return min(min(a, b), c); }  \
  MSL_WIDTHS(MSL_VECTOR_2, T, min)                            \
  MSL_WIDTHS(MSL_VECTOR_2, T, max)                            \
  MSL_WIDTHS(MSL_VECTOR_3, T, clamp)
MSL_INTEGER(char)
MSL_INTEGER(signed char)
MSL_INTEGER(uchar)
MSL_INTEGER(short)
MSL_INTEGER(ushort)
MSL_INTEGER(int)
MSL_INTEGER(uint)
MSL_INTEGER(long)
MSL_INTEGER(ulong)
#undef MSL_INTEGER

inline char abs(char x) { return x < 0 ? -x : x; }
inline short abs(short x) { return x < 0 ? -x : x; }
inline int abs(int x) { return x < 0 ? -x : x; }
inline long abs(long x) { return x < 0 ? -x : x; }
inline ushort abs(ushort x) { return x; }
inline uint abs(uint x) { return x; }
inline ulong abs(ulong x) { return x; }
inline uchar popcount(uchar x) { return __builtin_popcount(x); }
inline ushort popcount(ushort x) { return __builtin_popcount(x); }
inline int popcount(int x) { return __builtin_popcount(x); }
inline uint popcount(uint x) { return __builtin_popcount(x); }
inline ulong popcount(ulong x) { return __builtin_popcountl(x); }
inline uint clz(uint x) { return x ? __builtin_clz(x) : 32; }
inline int clz(int x) { return x ? __builtin_clz(x) : 32; }
inline uint ctz(uint x) { return x ? __builtin_ctz(x) : 32; }
inline int ctz(int x) { return x ? __builtin_ctz(x) : 32; }
inline uint mulhi(uint a, uint b) { return ((ulong)a * b) >> 32; }
inline int mulhi(int a, int b) { return (int)(((long)a * b) >> 32); }
inline uint mad24(uint a, uint b, uint c) { return a * b + c; }
inline uint reverse_bits(uint x) { return __builtin_bitreverse32(x); }
inline uint rotate(uint x, uint n) { return (n & 31) ? x << (n & 31) | x >> (32 - (n & 31)) : x; }
inline uint extract_bits(uint v, uint offset, uint bits) { return bits ? (v >> offset) & (~0u >> (32 - bits)) : 0; }
inline int extract_bits(int v, uint offset, uint bits) {
  return bits ? (int)((uint)v << (32 - bits - offset)) >> (32 - bits) : 0;
}
inline uint insert_bits(uint base, uint insert, uint offset, uint bits) {
  const uint mask = (bits ? ~0u >> (32 - bits) : 0) << offset;
  return (base & ~mask) | ((insert << offset) & mask);
}
inline uint addsat(uint a, uint b) { return a + b < a ? ~0u : a + b; }
inline uint subsat(uint a, uint b) { return a < b ? 0 : a - b; }

template <class T>
inline T select(T a, T b, bool c) {
  return c ? b : a;
}
template <class T, int N>
inline vec<T, N> select(vec<T, N> a, vec<T, N> b, vec<bool, N> c) {
  vec<T, N> r;
  for (int i = 0; i < N; i++) r.d[i] = c.d[i] ? b.d[i] : a.d[i];
  return r;
}
template <int N>
inline bool any(vec<bool, N> v) {
  bool r = false;
  for (int i = 0; i < N; i++) r |= v.d[i];
  return r;
}
template <int N>
inline bool all(vec<bool, N> v) {
  bool r = true;
  for (int i = 0; i < N; i++) r &= v.d[i];
  return r;
}

#define MSL_GEOMETRY(T, N)                                              \
  inline T dot(vec<T, N> a, vec<T, N> b) {                              \
    T r = 0;                                                            \
    for (int i = 0; i < N; i++) r += a.d[i] * b.d[i];                   \
    return r;                                                           \
  }                                                                     \
  inline T length_squared(vec<T, N> a) { return dot(a, a); }            \
  inline T length(vec<T, N> a) { return sqrt(dot(a, a)); }              \
  inline T distance(vec<T, N> a, vec<T, N> b) { return length(a - b); } \
  inline vec<T, N> normalize(vec<T, N> a) { return a * vec<T, N>(rsqrt(dot(a, a))); }
MSL_GEOMETRY(float, 2)
MSL_GEOMETRY(float, 3)
MSL_GEOMETRY(float, 4)
MSL_GEOMETRY(half, 2)
MSL_GEOMETRY(half, 3)
MSL_GEOMETRY(half, 4)
#undef MSL_GEOMETRY

}  // namespace metal
