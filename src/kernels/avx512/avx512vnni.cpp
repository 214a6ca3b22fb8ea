// What changes where AVX-512 has VNNI's dot product: the panels.  Milestone M6.
#include "kernels/avx512/avx512.h"

#if defined(__x86_64__)

#include <immintrin.h>

#include <concepts>
#include <cstddef>
#include <cstdint>
#include <initializer_list>

#include "kernels/panels.h"
#include "kernels/target.h"
#include "tensor/blocks.h"

#if defined(__GNUC__) && !defined(__clang__)
#pragma GCC diagnostic ignored "-Wuninitialized"  // g++ 12 finds its own AVX-512 intrinsics uninitialised
#pragma GCC diagnostic ignored "-Wmaybe-uninitialized"
#endif

RUNG_TARGET_BEGIN("avx512f,avx512bw,avx512dq,avx512vl,avx512vnni,avx2,fma,f16c")

namespace rung {
namespace {

#include "kernels/avx512/lanes.h"
#include "kernels/avx512/vnni.h"
#include "kernels/lanes/formats.h"
#include "kernels/lanes/linear.h"
#include "kernels/lanes/unpacked.h"
#include "kernels/lanes/peaks.h"

Kernels make() {
  Kernels k = avx512::kernels();
  k.name = "avx512vnni";
  use_unpacked_panels<Lanes<Vnni>>(k);
  use_peaks<Lanes<Vnni>, 12, 12>(k);
  return k;
}

}  // namespace

const Kernels& avx512vnni::kernels() {
  static const Kernels kKernels = make();
  return kKernels;
}

}  // namespace rung

RUNG_TARGET_END

bool rung::avx512vnni::supported() { return avx512::supported() && __builtin_cpu_supports("avx512vnni"); }

#endif
