// Functions for an instruction set that the rest of the program may not use.  Milestone M6.
//
// A file of one instruction set stands between RUNG_TARGET_BEGIN("avx512f,…") and RUNG_TARGET_END: what is defined
// there, templates included, may use those instructions, and nothing else may. So one program holds the kernels of
// every machine, and asks at start which of them it may call. (Compiler flags for the whole file would not do: an
// inline function of a header, compiled there with AVX-512, could be the copy that the linker keeps for everybody.)
#pragma once

#define RUNG_PRAGMA(words) _Pragma(#words)

#if defined(__clang__)
#define RUNG_TARGET_BEGIN(features) \
  RUNG_PRAGMA(clang attribute push(__attribute__((target(features))), apply_to = function))
#define RUNG_TARGET_END RUNG_PRAGMA(clang attribute pop)
#define RUNG_UNROLL RUNG_PRAGMA(unroll)
#else
#define RUNG_TARGET_BEGIN(features) RUNG_PRAGMA(GCC push_options) RUNG_PRAGMA(GCC target(features))
#define RUNG_TARGET_END RUNG_PRAGMA(GCC pop_options)
#define RUNG_UNROLL RUNG_PRAGMA(GCC unroll 16)
#endif
