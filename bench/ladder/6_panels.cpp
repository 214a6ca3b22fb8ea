// Rung 6: panels, a row a lane.
//
// Sixteen rows lie side by side, four quants of each at a time, so that a load brings the same four columns of sixteen
// rows; four activations are copied into every lane beside them. Each 32-bit lane sums its own row, and nothing is ever
// added across a register:
//
//   panel:  scales of rows 0…15 | q0…q3 of row 0, of row 1, … of row 15 | q4…q7 of row 0, … | … q28…q31 of row 15
//           then the next block
//
// A block's integers become floats once, sixteen rows at a time; a tile of two tokens shares what was loaded. This is
// the layout of Rung's own kernels (src/kernels/panels.h), which write it once for all formats and instruction sets.
//
// What limits it: with one token memory, as far as one core can ask for it; with many the multipliers of one core.
//
// The next rung has more cores.
#include <cstring>

#include "kernels/target.h"
#include "ladder.h"

#if defined(__x86_64__)
#include <immintrin.h>
#endif

namespace ladder {

namespace {

struct Panel {  // 32 columns of 16 rows
  float scales[16];
  std::int8_t q[8][16][4];  // [columns / 4][row][four columns]
};
static_assert(sizeof(Panel) == 16 * sizeof(Block));

template <std::size_t kTokens>
void tile_portable(float* out, const Panel* panel, const Block* x, const Shape& shape) {
  const std::size_t blocks = shape.columns / 32;
  float sums[kTokens][16] = {};
  for (std::size_t b = 0; b < blocks; ++b) {
    for (std::size_t t = 0; t < kTokens; ++t) {
      const Block& token = x[t * blocks + b];
      for (std::size_t r = 0; r < 16; ++r) {
        std::int32_t whole = 0;
        for (std::size_t i = 0; i < 32; ++i) whole += panel[b].q[i / 4][r][i % 4] * token.q[i];
        sums[t][r] += panel[b].scales[r] * token.scale * static_cast<float>(whole);
      }
    }
  }
  for (std::size_t t = 0; t < kTokens; ++t) std::memcpy(out + t * shape.rows, sums[t], sizeof sums[t]);
}

#if defined(__x86_64__)
RUNG_TARGET_BEGIN("avx2,fma")
template <std::size_t kTokens>
void tile_avx2(float* out, const Panel* panel, const Block* x, const Shape& shape) {
  const std::size_t blocks = shape.columns / 32;
  __m256 sums[kTokens][2] = {};  // rows 0–7, 8–15
  for (std::size_t b = 0; b < blocks; ++b) {
    // Memory answers after some 100 ns: what comes 4 KiB later is asked for now.
    for (std::size_t line = 0; kTokens == 1 && line < sizeof(Panel); line += 64) {
      _mm_prefetch(reinterpret_cast<const char*>(panel + b) + 4096 + line, _MM_HINT_T0);
    }
    __m256i whole[kTokens][2] = {};
    for (std::size_t g = 0; g < 8; ++g) {
      const auto* quants = reinterpret_cast<const __m256i*>(panel[b].q[g]);
      const __m256i w[2] = {_mm256_loadu_si256(quants), _mm256_loadu_si256(quants + 1)};
      const __m256i magnitude[2] = {_mm256_abs_epi8(w[0]), _mm256_abs_epi8(w[1])};
      for (std::size_t t = 0; t < kTokens; ++t) {
        std::int32_t four;
        std::memcpy(&four, x[t * blocks + b].q + 4 * g, 4);
        for (std::size_t half = 0; half < 2; ++half) {
          const __m256i pairs =
              _mm256_maddubs_epi16(magnitude[half], _mm256_sign_epi8(_mm256_set1_epi32(four), w[half]));
          whole[t][half] = _mm256_add_epi32(whole[t][half], _mm256_madd_epi16(pairs, _mm256_set1_epi16(1)));
        }
      }
    }
    for (std::size_t t = 0; t < kTokens; ++t) {
      const __m256 token = _mm256_set1_ps(x[t * blocks + b].scale);
      for (std::size_t half = 0; half < 2; ++half) {
        const __m256 scale = _mm256_mul_ps(_mm256_loadu_ps(panel[b].scales + 8 * half), token);
        sums[t][half] = _mm256_fmadd_ps(_mm256_cvtepi32_ps(whole[t][half]), scale, sums[t][half]);
      }
    }
  }
  for (std::size_t t = 0; t < kTokens; ++t) {
    for (std::size_t half = 0; half < 2; ++half) _mm256_storeu_ps(out + t * shape.rows + 8 * half, sums[t][half]);
  }
}
RUNG_TARGET_END
const bool has_avx2 = __builtin_cpu_supports("avx2") && __builtin_cpu_supports("fma");
const auto tile1 = has_avx2 ? tile_avx2<1> : tile_portable<1>;
const auto tile2 = has_avx2 ? tile_avx2<2> : tile_portable<2>;
#else
const auto tile1 = tile_portable<1>;
const auto tile2 = tile_portable<2>;
#endif

void multiply(float* out, const std::byte* packed, const float* x, const Shape& shape, rung::ThreadTeam&) {
  multiply_panels(out, packed, quantized(x, shape).data(), shape, 0, shape.rows / 16);
}

}  // namespace

std::size_t panel_bytes(const Shape& shape) { return block_bytes(shape); }

void pack_panels(std::byte* packed, const float* weights, const Shape& shape) {
  auto* panels_ = reinterpret_cast<Panel*>(packed);
  const std::size_t blocks = shape.columns / 32;
  for (std::size_t r = 0; r < shape.rows; ++r) {
    for (std::size_t b = 0; b < blocks; ++b) {
      const Block block = quantize(weights + r * shape.columns + 32 * b);
      Panel& panel = panels_[r / 16 * blocks + b];
      panel.scales[r % 16] = block.scale;
      for (std::size_t i = 0; i < 32; ++i) panel.q[i / 4][r % 16][i % 4] = block.q[i];
    }
  }
}

void multiply_panels(float* out, const std::byte* packed, const Block* x, const Shape& shape, std::size_t first_panel,
                     std::size_t end_panel) {
  const std::size_t blocks = shape.columns / 32;
  for (std::size_t p = first_panel; p < end_panel; ++p) {
    const Panel* panel = reinterpret_cast<const Panel*>(packed) + p * blocks;
    std::size_t t = 0;
    for (; t + 2 <= shape.tokens; t += 2) tile2(out + t * shape.rows + 16 * p, panel, x + t * blocks, shape);
    if (t < shape.tokens) tile1(out + t * shape.rows + 16 * p, panel, x + t * blocks, shape);
  }
}

const Rung panels{"6 panels", Rounds::both, panel_bytes, pack_panels, multiply};

}  // namespace ladder
