// The kernels with AVX2.  Milestone M6.
#include "kernels/avx2/avx2.h"

#if defined(__x86_64__)

#include <immintrin.h>

#include <concepts>
#include <cstddef>
#include <cstdint>
#include <initializer_list>
#include <type_traits>

#include "kernels/panels.h"
#include "kernels/scalar/scalar.h"
#include "kernels/target.h"
#include "tensor/blocks.h"

RUNG_TARGET_BEGIN("avx2,fma,f16c")

namespace rung {
namespace {

#include "kernels/avx2/lanes.h"
#include "kernels/lanes/formats.h"
#include "kernels/lanes/linear.h"
#include "kernels/lanes/unpacked.h"
#include "kernels/avx2/small_tiles.h"
#include "kernels/lanes/elementwise.h"
#include "kernels/lanes/attention.h"
#include "kernels/lanes/peaks.h"

// The most that AVX2 can do with bytes. Where quants are small, eight products fit in 16 bits (2·15·127·8 < 2¹⁵), so
// that vpmaddwd is needed once in eight times. (Lanes<Maddubs>::dot alone reaches about half of it.)
std::uint64_t int8_peak_of_small_quants(std::size_t rounds) {
  alignas(32) std::byte weights[8][32] = {};
  const __m256i x[4] = {_mm256_set1_epi8(1), _mm256_set1_epi8(2), _mm256_set1_epi8(3), _mm256_set1_epi8(4)};
  __m256i sums[4] = {};
  for (std::size_t round = 0; round < rounds; ++round) {
    seen_by_the_world(weights);
    __m256i pairs[4] = {};
    RUNG_UNROLL
    for (int g = 0; g < 8; ++g) {
      const __m256i w = _mm256_load_si256(reinterpret_cast<const __m256i*>(weights[g]));
      RUNG_UNROLL
      for (int s = 0; s < 4; ++s) pairs[s] = now(_mm256_add_epi16(pairs[s], _mm256_maddubs_epi16(w, x[s])));
    }
    RUNG_UNROLL
    for (int s = 0; s < 4; ++s) sums[s] = Maddubs::wide(sums[s], pairs[s]);
  }
  const __m256i result = _mm256_add_epi32(_mm256_add_epi32(sums[0], sums[1]), _mm256_add_epi32(sums[2], sums[3]));
  seen_by_the_world(&result);
  return std::uint64_t{2} * 32 * 8 * 4 * rounds;
}

Kernels make() {
  Kernels k = scalar::kernels;
  k.name = "avx2";
  use_plain_panels<Lanes<Maddubs>>(k);
  use_small_tiles<Lanes<Maddubs>>(k);
  use_elementwise<Lanes<Maddubs>>(k);
  use_attention<Lanes<Maddubs>>(k);
  use_peaks<Lanes<Maddubs>, 4, 6>(k);
  k.peaks.int8 = int8_peak_of_small_quants;
  return k;
}

}  // namespace

const Kernels& avx2::kernels() {
  static const Kernels kKernels = make();
  return kKernels;
}

}  // namespace rung

RUNG_TARGET_END

bool rung::avx2::supported() {
  return __builtin_cpu_supports("avx2") && __builtin_cpu_supports("fma") && __builtin_cpu_supports("f16c");
}

#endif
