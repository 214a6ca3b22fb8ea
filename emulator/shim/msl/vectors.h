// vec<T, N>, packed_vec<T, N>, matrix<T, C, R> and their names (float4, packed_half2, …).
#pragma once
#pragma clang system_header
#include "traits.h"

namespace metal {

template <class T, int N>
struct vec;
template <class T, int N>
struct packed_vec;

// One conversion that C++ lacks: half and bfloat meet in float.
template <class T, class U>
struct msl_convert {
  static T of(U u) { return (T)u; }
};
template <>
struct msl_convert<half, bfloat> {
  static half of(bfloat u) { return (half)(float)u; }
};
template <>
struct msl_convert<bfloat, half> {
  static bfloat of(half u) { return (bfloat)(float)u; }
};

// The bytes of a vector as one value: a vector is loaded and stored at once, as on the GPU, and not element by element
// (an access is then aligned or not, and touches its cache lines, as a whole).
template <int bytes>
struct msl_bytes;
#define MSL_BYTES(N, T) \
  template <>           \
  struct msl_bytes<N> { \
    typedef T type;     \
  };
typedef uint msl_16_bytes __attribute__((ext_vector_type(4)));
typedef ulong msl_32_bytes __attribute__((ext_vector_type(4)));
MSL_BYTES(2, ushort)
MSL_BYTES(4, uint)
MSL_BYTES(8, ulong)
MSL_BYTES(16, msl_16_bytes)
MSL_BYTES(32, msl_32_bytes)
#undef MSL_BYTES

// In a checked build the optimiser, too, must leave such a load whole: it may not look through this.
#if !defined(MSL_CHECKS_SPACES) && __has_feature(thread_sanitizer)
#if defined(__x86_64__)
#define MSL_VECTOR_REGISTER "+x"
#else
#define MSL_VECTOR_REGISTER "+w"
#endif
template <class T>
inline T msl_whole(T value) {
  asm volatile("" : "+r"(value));
  return value;
}
inline msl_16_bytes msl_whole(msl_16_bytes value) {
  asm volatile("" : MSL_VECTOR_REGISTER(value));
  return value;
}
inline msl_32_bytes msl_whole(msl_32_bytes value) { return value; }
#else
#define msl_whole(value) value
#endif

// The operators (by value: an operand may lie in any address space), as friends that are found through either
// vec<T, K> or any of its swizzles, and the swizzles: a view of elements I… of a vector of N, which reads and is
// assigned like a vec<T, K>.
template <class T, int K>
struct msl_operators {
  typedef vec<T, K> V;

  template <int N, int... I>
  struct swizzle {
    T d[N];
    operator V() const {
      const int index[] = {I...};
      V r;
      for (int i = 0; i < K; i++) r.d[i] = d[index[i]];
      return r;
    }
    swizzle& operator=(const V& v) {
      const int index[] = {I...};
      V t(v);
      for (int i = 0; i < K; i++) d[index[i]] = t.d[i];
      return *this;
    }
    swizzle& operator=(const swizzle& o) { return *this = V(o); }
    template <class U>
    swizzle& operator+=(const U& u) {
      return *this = V(*this) + V(u);
    }
    template <class U>
    swizzle& operator-=(const U& u) {
      return *this = V(*this) - V(u);
    }
    template <class U>
    swizzle& operator*=(const U& u) {
      return *this = V(*this) * V(u);
    }
    template <class U>
    swizzle& operator/=(const U& u) {
      return *this = V(*this) / V(u);
    }
    T operator[](int i) const { return V(*this).d[i]; }
  };

#define MSL_BINARY(op)                                          \
  friend V operator op(V a, V b) {                              \
    V r;                                                        \
    for (int i = 0; i < K; i++) r.d[i] = (T)(a.d[i] op b.d[i]); \
    return r;                                                   \
  }
  MSL_BINARY(+)
  MSL_BINARY(-)
  MSL_BINARY(*)
  MSL_BINARY(/)
  MSL_BINARY(%)
  MSL_BINARY(&)
  MSL_BINARY(|)
  MSL_BINARY(^)
  MSL_BINARY(<<)
  MSL_BINARY(>>)
#undef MSL_BINARY
#define MSL_COMPARISON(op)                                    \
  friend vec<bool, K> operator op(const V & a, const V & b) { \
    vec<bool, K> r;                                           \
    for (int i = 0; i < K; i++) r.d[i] = a.d[i] op b.d[i];    \
    return r;                                                 \
  }
  MSL_COMPARISON(<)
  MSL_COMPARISON(>)
  MSL_COMPARISON(<=)
  MSL_COMPARISON(>=)
  MSL_COMPARISON(==)
  MSL_COMPARISON(!=)
  MSL_COMPARISON(&&)
  MSL_COMPARISON(||)
#undef MSL_COMPARISON
  friend V operator-(V a) {
    V r;
    for (int i = 0; i < K; i++) r.d[i] = -a.d[i];
    return r;
  }
  friend V operator+(V a) { return a; }
  friend V operator~(V a) {
    V r;
    for (int i = 0; i < K; i++) r.d[i] = ~a.d[i];
    return r;
  }
  friend vec<bool, K> operator!(V a) {
    vec<bool, K> r;
    for (int i = 0; i < K; i++) r.d[i] = !a.d[i];
    return r;
  }
};

// Constructors and operators that all widths share.
#define MSL_ASSIGN(op) \
  vec& operator op##=(const vec & b) { return *this = *this op b; }
#define MSL_VECTOR(N)                                                 \
  vec() = default;                                                    \
  vec(const vec& o) : whole(msl_whole(o.whole)) {}                    \
  vec(const volatile vec& o) : whole(msl_whole(o.whole)) {}           \
  vec& operator=(const vec& o) {                                      \
    whole = msl_whole(o.whole);                                       \
    return *this;                                                     \
  }                                                                   \
  vec(T s) {                                                          \
    for (int i = 0; i < N; i++) d[i] = s;                             \
  }                                                                   \
  template <class U>                                                  \
  explicit vec(const vec<U, N>& o) {                                  \
    vec<U, N> t(o);                                                   \
    for (int i = 0; i < N; i++) d[i] = msl_convert<T, U>::of(t.d[i]); \
  }                                                                   \
  template <class U>                                                  \
  explicit vec(const packed_vec<U, N>& o) {                           \
    for (int i = 0; i < N; i++) d[i] = msl_convert<T, U>::of(o.d[i]); \
  }                                                                   \
  T& operator[](ulong i) { return d[i]; }                             \
  const T& operator[](ulong i) const { return d[i]; }                 \
  MSL_ASSIGN(+)                                                       \
  MSL_ASSIGN(-)                                                       \
  MSL_ASSIGN(*)                                                       \
  MSL_ASSIGN(/)                                                       \
  MSL_ASSIGN(&)                                                       \
  MSL_ASSIGN(|)                                                       \
  MSL_ASSIGN(^)                                                       \
  MSL_ASSIGN(%)                                                       \
  MSL_ASSIGN(<<)                                                      \
  MSL_ASSIGN(>>)

// clang-format off
#define MSL_S2(N, name, a, b) typename msl_operators<T, 2>::template swizzle<N, a, b> name;
#define MSL_S3(N, name, a, b, c) typename msl_operators<T, 3>::template swizzle<N, a, b, c> name;
#define MSL_S4(N, name, a, b, c, e) typename msl_operators<T, 4>::template swizzle<N, a, b, c, e> name;
#define MSL_SWIZZLES_2(N) \
  MSL_S2(N, xy, 0, 1) MSL_S2(N, yx, 1, 0) MSL_S2(N, xx, 0, 0) MSL_S2(N, yy, 1, 1) MSL_S2(N, rg, 0, 1)
#define MSL_SWIZZLES_3(N)                                                                              \
  MSL_SWIZZLES_2(N)                                                                                    \
  MSL_S2(N, xz, 0, 2) MSL_S2(N, yz, 1, 2) MSL_S2(N, zy, 2, 1) MSL_S2(N, zx, 2, 0) MSL_S2(N, zz, 2, 2)  \
  MSL_S3(N, xyz, 0, 1, 2) MSL_S3(N, zyx, 2, 1, 0) MSL_S3(N, yzx, 1, 2, 0) MSL_S3(N, zxy, 2, 0, 1)      \
  MSL_S3(N, xxx, 0, 0, 0) MSL_S3(N, rgb, 0, 1, 2)
#define MSL_SWIZZLES_4(N)                                                                              \
  MSL_SWIZZLES_3(N)                                                                                    \
  MSL_S2(N, zw, 2, 3) MSL_S2(N, xw, 0, 3) MSL_S2(N, yw, 1, 3) MSL_S2(N, wz, 3, 2) MSL_S2(N, ba, 2, 3)  \
  MSL_S2(N, lo, 0, 1) MSL_S2(N, hi, 2, 3) MSL_S2(N, even, 0, 2) MSL_S2(N, odd, 1, 3)                   \
  MSL_S3(N, yzw, 1, 2, 3) MSL_S4(N, xyzw, 0, 1, 2, 3) MSL_S4(N, wzyx, 3, 2, 1, 0)                      \
  MSL_S4(N, yxwz, 1, 0, 3, 2) MSL_S4(N, zwxy, 2, 3, 0, 1) MSL_S4(N, xxxx, 0, 0, 0, 0)                  \
  MSL_S4(N, yyyy, 1, 1, 1, 1) MSL_S4(N, zzzz, 2, 2, 2, 2) MSL_S4(N, wwww, 3, 3, 3, 3)                  \
  MSL_S4(N, rgba, 0, 1, 2, 3) MSL_S4(N, xyxy, 0, 1, 0, 1) MSL_S4(N, xxyy, 0, 0, 1, 1)
// clang-format on

template <class T>
struct alignas(2 * sizeof(T)) vec<T, 2> : msl_operators<T, 2> {
  union {
    typename msl_bytes<2 * sizeof(T)>::type whole;
    T d[2];
    struct {
      T x, y;
    };
    struct {
      T r, g;
    };
    MSL_SWIZZLES_2(2)
  };
  MSL_VECTOR(2)
  vec(T a, T b) {
    d[0] = a;
    d[1] = b;
  }
};

template <class T>
struct alignas(4 * sizeof(T)) vec<T, 3> : msl_operators<T, 3> {
  union {
    typename msl_bytes<4 * sizeof(T)>::type whole;
    T d[3];
    struct {
      T x, y, z;
    };
    struct {
      T r, g, b;
    };
    MSL_SWIZZLES_3(3)
  };
  MSL_VECTOR(3)
  vec(T a, T b, T c) {
    d[0] = a;
    d[1] = b;
    d[2] = c;
  }
  vec(const vec<T, 2>& a, T c) : vec(a.d[0], a.d[1], c) {}
  vec(T a, const vec<T, 2>& c) : vec(a, c.d[0], c.d[1]) {}
};

template <class T>
struct alignas(4 * sizeof(T)) vec<T, 4> : msl_operators<T, 4> {
  union {
    typename msl_bytes<4 * sizeof(T)>::type whole;
    T d[4];
    struct {
      T x, y, z, w;
    };
    struct {
      T r, g, b, a;
    };
    MSL_SWIZZLES_4(4)
  };
  MSL_VECTOR(4)
  vec(T a, T b, T c, T e) {
    d[0] = a;
    d[1] = b;
    d[2] = c;
    d[3] = e;
  }
  vec(const vec<T, 2>& a, const vec<T, 2>& b) : vec(a.d[0], a.d[1], b.d[0], b.d[1]) {}
  vec(const vec<T, 3>& a, T b) : vec(a.d[0], a.d[1], a.d[2], b) {}
  vec(T a, const vec<T, 3>& b) : vec(a, b.d[0], b.d[1], b.d[2]) {}
  vec(const vec<T, 2>& a, T b, T c) : vec(a.d[0], a.d[1], b, c) {}
  vec(T a, const vec<T, 2>& b, T c) : vec(a, b.d[0], b.d[1], c) {}
  vec(T a, T b, const vec<T, 2>& c) : vec(a, b, c.d[0], c.d[1]) {}
};

// Aligned like one element, so loaded element by element.
template <class T, int N>
struct msl_packed {
  T d[N];
};
template <class T>
struct msl_packed<T, 2> {
  union {
    T d[2];
    struct {
      T x, y;
    };
  };
};
template <class T>
struct msl_packed<T, 3> {
  union {
    T d[3];
    struct {
      T x, y, z;
    };
  };
};
template <class T>
struct msl_packed<T, 4> {
  union {
    T d[4];
    struct {
      T x, y, z, w;
    };
  };
};
template <class T, int N>
struct packed_vec : msl_packed<T, N> {
  using msl_packed<T, N>::d;
  packed_vec() = default;
  packed_vec(const vec<T, N>& v) {
    for (int i = 0; i < N; i++) d[i] = v.d[i];
  }
  template <class... Elements, class = enable_if_t<sizeof...(Elements) == N && (N > 1)>>
  packed_vec(Elements... e) {
    const T each[] = {(T)e...};
    for (int i = 0; i < N; i++) d[i] = each[i];
  }
  operator vec<T, N>() const {
    vec<T, N> r;
    for (int i = 0; i < N; i++) r.d[i] = d[i];
    return r;
  }
  T& operator[](ulong i) { return d[i]; }
  const T& operator[](ulong i) const { return d[i]; }
};

template <class T, int C, int R>
struct matrix {
  vec<T, R> columns[C];
  matrix() = default;
  explicit matrix(T s) {
    for (int c = 0; c < C; c++) {
      for (int r = 0; r < R; r++) columns[c].d[r] = c == r ? s : T(0);
    }
  }
  template <class... Columns, class = enable_if_t<sizeof...(Columns) == C && (C > 1)>>
  matrix(const Columns&... each) : columns{vec<T, R>(each)...} {}
  template <class U>
  explicit matrix(const matrix<U, C, R>& o) {
    for (int c = 0; c < C; c++) columns[c] = vec<T, R>(o.columns[c]);
  }
  vec<T, R>& operator[](ulong c) { return columns[c]; }
  const vec<T, R>& operator[](ulong c) const { return columns[c]; }
  friend vec<T, R> operator*(const matrix& m, const vec<T, C>& v) {
    vec<T, R> r(T(0));
    for (int c = 0; c < C; c++) r += m.columns[c] * v.d[c];
    return r;
  }
  friend matrix operator*(const matrix& m, T s) {
    matrix r(m);
    for (int c = 0; c < C; c++) r.columns[c] *= s;
    return r;
  }
};

template <class T, size_t N>
struct array {
  T elements[N];
  T& operator[](size_t i) { return elements[i]; }
  const T& operator[](size_t i) const { return elements[i]; }
  static constexpr size_t size() { return N; }
};

#define MSL_NAMES(T)                      \
  typedef vec<T, 2> T##2;                 \
  typedef vec<T, 3> T##3;                 \
  typedef vec<T, 4> T##4;                 \
  typedef packed_vec<T, 2> packed_##T##2; \
  typedef packed_vec<T, 3> packed_##T##3; \
  typedef packed_vec<T, 4> packed_##T##4;
MSL_NAMES(bool)
MSL_NAMES(char)
MSL_NAMES(uchar)
MSL_NAMES(short)
MSL_NAMES(ushort)
MSL_NAMES(int)
MSL_NAMES(uint)
MSL_NAMES(long)
MSL_NAMES(ulong)
MSL_NAMES(half)
MSL_NAMES(float)
MSL_NAMES(bfloat)
#undef MSL_NAMES
#define MSL_NAMES(T)              \
  typedef matrix<T, 2, 2> T##2x2; \
  typedef matrix<T, 2, 3> T##2x3; \
  typedef matrix<T, 2, 4> T##2x4; \
  typedef matrix<T, 3, 2> T##3x2; \
  typedef matrix<T, 3, 3> T##3x3; \
  typedef matrix<T, 3, 4> T##3x4; \
  typedef matrix<T, 4, 2> T##4x2; \
  typedef matrix<T, 4, 3> T##4x3; \
  typedef matrix<T, 4, 4> T##4x4;
MSL_NAMES(half)
MSL_NAMES(float)
#undef MSL_NAMES

}  // namespace metal

// Apple's headers have these names outside the namespace, too (llama.cpp's ggml-common.h relies on it).
#define MSL_NAMES(T) \
  using metal::T##2; \
  using metal::T##3; \
  using metal::T##4;
MSL_NAMES(char)
MSL_NAMES(uchar)
MSL_NAMES(short)
MSL_NAMES(ushort)
MSL_NAMES(int)
MSL_NAMES(uint)
MSL_NAMES(long)
MSL_NAMES(ulong)
MSL_NAMES(half)
MSL_NAMES(float)
MSL_NAMES(bfloat)
#undef MSL_NAMES
