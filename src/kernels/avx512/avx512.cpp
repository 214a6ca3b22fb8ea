// The kernels with AVX-512 as it was first.  Milestone M6.
#include "kernels/avx512/avx512.h"

#if defined(__x86_64__)

#include <immintrin.h>

#include <concepts>
#include <cstddef>
#include <cstdint>
#include <initializer_list>

#include "kernels/avx2/avx2.h"
#include "kernels/panels.h"
#include "kernels/target.h"
#include "tensor/blocks.h"

#if defined(__GNUC__) && !defined(__clang__)
#pragma GCC diagnostic ignored "-Wuninitialized"  // g++ 12 finds its own AVX-512 intrinsics uninitialised
#pragma GCC diagnostic ignored "-Wmaybe-uninitialized"
#endif

RUNG_TARGET_BEGIN("avx512f,avx512bw,avx512dq,avx512vl,avx2,fma,f16c")

namespace rung {
namespace {

#include "kernels/avx512/lanes.h"
#include "kernels/lanes/formats.h"
#include "kernels/lanes/linear.h"
#include "kernels/lanes/unpacked.h"
#include "kernels/lanes/elementwise.h"
#include "kernels/lanes/attention.h"
#include "kernels/lanes/peaks.h"

Kernels make() {
  Kernels k = avx2::kernels();
  k.name = "avx512";
  use_plain_panels<Lanes<Maddubs>>(k);
  use_unpacked_panels<Lanes<Maddubs>>(k);
  use_elementwise<Lanes<Maddubs>>(k);
  use_attention<Lanes<Maddubs>>(k);
  use_peaks<Lanes<Maddubs>, 8, 12>(k);
  return k;
}

}  // namespace

const Kernels& avx512::kernels() {
  static const Kernels kKernels = make();
  return kKernels;
}

}  // namespace rung

RUNG_TARGET_END

bool rung::avx512::supported() {
  return avx2::supported() && __builtin_cpu_supports("avx512f") && __builtin_cpu_supports("avx512bw") &&
         __builtin_cpu_supports("avx512dq") && __builtin_cpu_supports("avx512vl");
}

#endif
