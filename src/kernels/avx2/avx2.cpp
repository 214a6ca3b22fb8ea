// The kernels with AVX2.  Milestone M6.
#include "kernels/avx2/avx2.h"

#if defined(__x86_64__)

#include <immintrin.h>

#include <cstddef>
#include <cstdint>

#include "kernels/panels.h"
#include "kernels/scalar/scalar.h"
#include "kernels/target.h"

RUNG_TARGET_BEGIN("avx2,fma,f16c")

namespace rung {
namespace {

#include "kernels/avx2/lanes.h"
#include "kernels/lanes/formats.h"
#include "kernels/lanes/linear.h"
#include "kernels/lanes/elementwise.h"
#include "kernels/lanes/attention.h"

Kernels make() {
  Kernels k = scalar::kernels;
  k.name = "avx2";
  use_panels<Lanes<Maddubs>>(k);
  use_elementwise<Lanes<Maddubs>>(k);
  use_attention<Lanes<Maddubs>>(k);
  return k;
}

}  // namespace

const Kernels& avx2::kernels() {
  static const Kernels kKernels = make();
  return kKernels;
}

}  // namespace rung

RUNG_TARGET_END

bool rung::avx2::supported() { return __builtin_cpu_supports("avx2") && __builtin_cpu_supports("fma") && __builtin_cpu_supports("f16c"); }

#endif
