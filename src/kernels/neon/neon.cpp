// The kernels with NEON.  Milestone M6.
#include "kernels/neon/neon.h"

#if defined(__aarch64__)

#include <arm_neon.h>
#ifdef __linux__
#include <sys/auxv.h>
#endif

#include <concepts>
#include <cstddef>
#include <cstdint>
#include <initializer_list>

#include "kernels/panels.h"
#include "kernels/scalar/scalar.h"
#include "kernels/target.h"
#include "tensor/blocks.h"

#if defined(__clang__)
RUNG_TARGET_BEGIN("dotprod")
#else
RUNG_TARGET_BEGIN("arch=armv8.2-a+dotprod")
#endif

namespace rung {
namespace {

#include "kernels/neon/lanes.h"
#include "kernels/lanes/formats.h"
#include "kernels/lanes/linear.h"
#include "kernels/lanes/unpacked.h"
#include "kernels/lanes/elementwise.h"
#include "kernels/lanes/attention.h"
#include "kernels/lanes/peaks.h"

Kernels make() {
  Kernels k = scalar::kernels;
  k.name = "neon";
  use_plain_panels<Lanes>(k);
  use_unpacked_panels<Lanes>(k);
  use_elementwise<Lanes>(k);
  use_attention<Lanes>(k);
  use_peaks<Lanes, 5, 6>(k);
  return k;
}

}  // namespace

const Kernels& neon::kernels() {
  static const Kernels kKernels = make();
  return kKernels;
}

}  // namespace rung

RUNG_TARGET_END

bool rung::neon::supported() {
#ifdef __linux__
  constexpr unsigned long kDotProduct = 1ul << 20;  // HWCAP_ASIMDDP
  return (::getauxval(AT_HWCAP) & kDotProduct) != 0;
#else
  return true;  // every 64-bit ARM of Apple's that runs macOS
#endif
}

#endif
