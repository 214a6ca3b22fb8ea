// What changes where AVX-512 has VNNI's dot product: the panels.  Milestone M6.
#include "kernels/avx512/avx512.h"

#if defined(__x86_64__)

#include <immintrin.h>

#include <cstddef>
#include <cstdint>

#include "kernels/panels.h"
#include "kernels/target.h"

#if defined(__GNUC__) && !defined(__clang__)
#pragma GCC diagnostic ignored "-Wuninitialized"        // g++ 12 finds its own AVX-512 intrinsics uninitialised
#pragma GCC diagnostic ignored "-Wmaybe-uninitialized"
#endif

RUNG_TARGET_BEGIN("avx512f,avx512bw,avx512dq,avx512vl,avx512vnni,avx2,fma,f16c")

namespace rung {
namespace {

#include "kernels/avx512/lanes.h"
#include "kernels/lanes/formats.h"
#include "kernels/lanes/linear.h"
#include "kernels/lanes/peaks.h"

// vpdpbusd: four products of unsigned and signed bytes into 32 bits, at once and exactly. Signed weights go as w + 128, whose 128·Σx is
// taken back by where the sums start.
struct Vnni {
  static __m512i dot(__m512i sums, __m512i w, __m512i x) { return _mm512_dpbusd_epi32(sums, w, x); }
  static __m512i ready8(__m512i w) { return _mm512_xor_si512(w, _mm512_set1_epi8(-128)); }
  static __m512i dot_ready8(__m512i sums, __m512i w, __m512i x) { return dot(sums, w, x); }
  static __m512i dot8(__m512i sums, __m512i w, __m512i x) { return dot(sums, ready8(w), x); }
  static constexpr std::int32_t kOffset8 = 128;
};

Kernels make() {
  Kernels k = avx512::kernels();
  k.name = "avx512vnni";
  use_panels<Lanes<Vnni>>(k);
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
