// What changes where AVX2 has VNNI's dot product: the panels.  Milestone M6.
#include "kernels/avx2/avx2.h"

#if defined(__x86_64__)

#include <cpuid.h>
#include <immintrin.h>

#include <concepts>
#include <cstddef>
#include <cstdint>
#include <initializer_list>
#include <type_traits>

#include "kernels/panels.h"
#include "kernels/target.h"
#include "tensor/blocks.h"

RUNG_TARGET_BEGIN("avx2,fma,f16c,avxvnni")

namespace rung {
namespace {

#include "kernels/avx2/lanes.h"
#include "kernels/lanes/formats.h"
#include "kernels/lanes/linear.h"
#include "kernels/lanes/unpacked.h"
#include "kernels/avx2/small_tiles.h"
#include "kernels/lanes/peaks.h"

// vpdpbusd: four products of unsigned and signed bytes into 32 bits, at once and exactly.
struct Vnni {
  struct Unsigned {
    static constexpr bool kSixteenBits = false;
    using Chain = Pair;
    static Chain begin(Pair sums) { return sums; }
    static Chain add(Chain sums, Pair w, Pair x) {
      return {_mm256_dpbusd_avx_epi32(sums.low, w.low, x.low), _mm256_dpbusd_avx_epi32(sums.high, w.high, x.high)};
    }
    static Pair end(Pair, Chain chain) { return chain; }
  };
  struct Signed : Unsigned {
    static Chain add(Chain sums, Pair w, Pair x) {
      return Unsigned::add(sums, {_mm256_abs_epi8(w.low), _mm256_abs_epi8(w.high)},
                           {_mm256_sign_epi8(x.low, w.low), _mm256_sign_epi8(x.high, w.high)});
    }
  };
};

Kernels make() {
  Kernels k = avx2::kernels();
  k.name = "avx2vnni";
  use_small_tiles<Lanes<Vnni>>(k);
  use_peaks<Lanes<Vnni>, 6, 6>(k);
  return k;
}

}  // namespace

const Kernels& avx2vnni::kernels() {
  static const Kernels kKernels = make();
  return kKernels;
}

}  // namespace rung

RUNG_TARGET_END

// CPUID leaf 7, sub-leaf 1, EAX bit 4: older compilers' __builtin_cpu_supports does not know its name.
bool rung::avx2vnni::supported() {
  unsigned a = 0, b = 0, c = 0, d = 0;
  return avx2::supported() && __get_cpuid_count(7, 1, &a, &b, &c, &d) != 0 && (a & (1u << 4)) != 0;
}

#endif
