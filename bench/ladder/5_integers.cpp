// Rung 5: integers times integers.
//
// The activations become blocks, too (once a pass, and cheap: each is used by every row). Within a block the sum Σ
// w.q·x.q is then one of small integers: exact, in any order, and a register of 32 bytes does 32 products at a time
// where it had eight floats. The scales come once per 32:
//
//   sum += (w.scale·x.scale) · Σ_i w.q[i]·x.q[i]
//
// AVX2 multiplies unsigned by signed bytes only: vpmaddubsw(|w|, x with w's sign) gives the same products, added in
// pairs into 16 bits (at most 2·127·127 < 2¹⁵), vpmaddwd adds these in pairs into 32.
//
// What limits it: the lanes of a register hold products of one row, eight partial sums, and at the end of each row they
// must be added across the register; and each block's integers are turned into floats eight at a time, for one number.
// The bookkeeping is now as much as the work.
//
// The next rung gives each lane a row of its own.
#include "ladder.h"

#include "kernels/target.h"

#if defined(__x86_64__)
#include <immintrin.h>
#endif

namespace ladder {

std::span<const Block> quantized(const float* x, const Shape& shape) {
  static std::vector<Block> blocks;
  blocks.resize(shape.tokens * shape.columns / 32);
  for (std::size_t b = 0; b < blocks.size(); ++b) blocks[b] = quantize(x + 32 * b);
  return blocks;
}

namespace {

float dot_portable(const Block* w, const Block* x, std::size_t blocks) {
  float sum = 0;
  for (std::size_t b = 0; b < blocks; ++b) {
    std::int32_t whole = 0;
    for (std::size_t i = 0; i < 32; ++i) whole += w[b].q[i] * x[b].q[i];
    sum += w[b].scale * x[b].scale * static_cast<float>(whole);
  }
  return sum;
}

#if defined(__x86_64__)
RUNG_TARGET_BEGIN("avx2,fma")
float dot_avx2(const Block* w, const Block* x, std::size_t blocks) {
  __m256 sums = _mm256_setzero_ps();
  for (std::size_t b = 0; b < blocks; ++b) {
    const __m256i wq = _mm256_loadu_si256(reinterpret_cast<const __m256i*>(w[b].q));
    const __m256i xq = _mm256_loadu_si256(reinterpret_cast<const __m256i*>(x[b].q));
    const __m256i pairs = _mm256_maddubs_epi16(_mm256_abs_epi8(wq), _mm256_sign_epi8(xq, wq));
    const __m256i whole = _mm256_madd_epi16(pairs, _mm256_set1_epi16(1));  // eight sums of four products
    sums = _mm256_fmadd_ps(_mm256_cvtepi32_ps(whole), _mm256_set1_ps(w[b].scale * x[b].scale), sums);
  }
  // across the register: 8, 4, 2, 1
  __m128 four = _mm_add_ps(_mm256_castps256_ps128(sums), _mm256_extractf128_ps(sums, 1));
  four = _mm_add_ps(four, _mm_movehl_ps(four, four));
  return _mm_cvtss_f32(_mm_add_ss(four, _mm_movehdup_ps(four)));
}
RUNG_TARGET_END
const auto dot = __builtin_cpu_supports("avx2") && __builtin_cpu_supports("fma") ? dot_avx2 : dot_portable;
#else
const auto dot = dot_portable;
#endif

void multiply(float* out, const std::byte* packed, const float* x, const Shape& shape, rung::ThreadTeam&) {
  const auto* weights = reinterpret_cast<const Block*>(packed);
  const Block* tokens = quantized(x, shape).data();
  const std::size_t blocks = shape.columns / 32;
  for (std::size_t r = 0; r < shape.rows; ++r) {
    for (std::size_t t = 0; t < shape.tokens; ++t) {
      out[t * shape.rows + r] = dot(weights + r * blocks, tokens + t * blocks, blocks);
    }
  }
}

}  // namespace

const Rung integers{"5 integers", Rounds::both, block_bytes, pack_blocks, multiply};

}  // namespace ladder
