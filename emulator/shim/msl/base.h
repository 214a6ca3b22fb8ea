// Types, constants, and what a kernel asks of the emulator. No header of the standard library is included, on purpose:
// a kernel file that says `std::` or `#include <vector>` fails here exactly as it would on a Mac.
#pragma once
#pragma clang system_header

typedef unsigned char uchar;
typedef unsigned short ushort;
typedef unsigned int uint;
typedef unsigned long ulong;
typedef signed char int8_t;
typedef short int16_t;
typedef int int32_t;
typedef long int64_t;
typedef uchar uint8_t;
typedef ushort uint16_t;
typedef uint uint32_t;
typedef ulong uint64_t;
typedef __SIZE_TYPE__ size_t;
typedef __PTRDIFF_TYPE__ ptrdiff_t;
typedef __UINTPTR_TYPE__ uintptr_t;
typedef __INTPTR_TYPE__ intptr_t;

// MSL_CHECKS_SPACES: only address spaces are checked, by clang's OpenCL C++, and nothing will run (address_spaces.py).
#ifdef __OPENCL_CPP_VERSION__
#define MSL_CHECKS_SPACES
#define MSL_LITERAL __constant  // where string literals live
#define MSL_THREADGROUP __local
#pragma OPENCL EXTENSION cl_khr_fp16 : enable
#pragma OPENCL EXTENSION __cl_clang_function_pointers : enable
struct bfloat {
  short bits;
  bfloat() = default;
  bfloat(float) {}
  operator float() const { return 0; }
  bfloat& operator+=(float) { return *this; }
  bfloat& operator-=(float) { return *this; }
  bfloat& operator*=(float) { return *this; }
  bfloat& operator/=(float) { return *this; }
};
#else
#define MSL_LITERAL
#define MSL_THREADGROUP
typedef _Float16 half;
typedef __bf16 bfloat;
#endif
constexpr half operator""h(long double v) { return (half)v; }
constexpr half operator""h(unsigned long long v) { return (half)v; }
constexpr half operator"" H(long double v) { return (half)v; }
inline bfloat operator"" bf(long double v) { return (bfloat)(float)v; }

// What the lanes of a SIMD group tell each other: one such block a SIMD group.
struct msl_exchange {
  unsigned active;          // bit i: lane i takes part
  unsigned done;            // the first lane that goes on computes for all, and sets this
  unsigned reorder;         // reductions in another order than usual: that of `order`
  unsigned char order[32];  // a permutation of the lanes
  alignas(64) unsigned char in[32][64];
  alignas(64) unsigned char out[1024];
};

// The emulator's side: runtime/collectives.cpp. A place in the source (file, line) tells which lanes are together.
#define MSL_CONVERGENT __attribute__((convergent))
extern "C" {
void msl_assertion_failed(const MSL_LITERAL char* expression, const MSL_LITERAL char* file, unsigned line);
MSL_CONVERGENT void msl_threadgroup_barrier(unsigned flags, const MSL_LITERAL char* file, unsigned line);
MSL_CONVERGENT void msl_simdgroup_barrier(unsigned flags, const MSL_LITERAL char* file, unsigned line);
// width: 32 for the lanes of a SIMD group, 4 for those of a quad
MSL_CONVERGENT msl_exchange* msl_together(const void* in, unsigned bytes, unsigned width, const MSL_LITERAL char* file,
                                          unsigned line);
unsigned msl_lane();
void msl_absent_lane(unsigned lane, const MSL_LITERAL char* file, unsigned line);
MSL_THREADGROUP void* msl_threadgroup_variable(unsigned line, unsigned index, size_t bytes, bool zero);
bool msl_constant_is_set(const void* address);
extern bool msl_approximate;  // exp, log and their kin as a GPU's fast instructions have them
}
#define MSL_PLACE const MSL_LITERAL char *file_ = __builtin_FILE(), unsigned line_ = __builtin_LINE()
#define assert(e) ((e) ? (void)0 : msl_assertion_failed(#e, __builtin_FILE(), __builtin_LINE()))

// A collective, and what helps it (MSL_UNWATCHED), runs on memory of the emulator's: no race is looked for in there.
#if __has_feature(thread_sanitizer)
#define MSL_UNWATCHED __attribute__((no_sanitize("thread"))) inline
#define MSL_COLLECTIVE __attribute__((convergent, noinline, no_sanitize("thread"))) inline
#else
#define MSL_UNWATCHED inline
#define MSL_COLLECTIVE __attribute__((convergent, always_inline)) inline
#endif

#define FLT_MAX __FLT_MAX__
#define FLT_MIN __FLT_MIN__
#define FLT_EPSILON __FLT_EPSILON__
#define HALF_MAX 65504.0h
#define HALF_MIN 6.103515625e-05h
#define MAXHALF 65504.0h
#define HUGE_VALH ((half)__builtin_inff())
#define HUGE_VALF __builtin_huge_valf()
#define INFINITY __builtin_inff()
#define NAN __builtin_nanf("")
#define MAXFLOAT FLT_MAX
#define CHAR_MAX 127
#define CHAR_MIN (-128)
#define UCHAR_MAX 255
#define SHRT_MAX 32767
#define USHRT_MAX 65535
#define INT_MAX 0x7fffffff
#define INT_MIN (-INT_MAX - 1)
#define UINT_MAX 0xffffffffu
#define M_PI_F 3.14159265358979323846f
#define M_PI_2_F 1.57079632679489661923f
#define M_1_PI_F 0.31830988618379067154f
#define M_2_SQRTPI_F 1.12837916709551257390f
#define M_SQRT1_2_F 0.70710678118654752440f
#define M_SQRT2_F 1.41421356237309504880f
#define M_E_F 2.71828182845904523536f
#define M_LN2_F 0.69314718055994530942f
#define M_LN10_F 2.30258509299404568402f
#define M_LOG2E_F 1.44269504088896340736f
#define METAL_FUNC inline __attribute__((__always_inline__))
#define METAL_CONST static constant constexpr const

namespace metal {
#ifndef MSL_CHECKS_SPACES
using ::half;
#endif
using ::bfloat;
using ::int16_t;
using ::int32_t;
using ::int64_t;
using ::int8_t;
using ::size_t;
using ::uchar;
using ::uint;
using ::uint16_t;
using ::uint32_t;
using ::uint64_t;
using ::uint8_t;
using ::ulong;
using ::ushort;
}  // namespace metal
