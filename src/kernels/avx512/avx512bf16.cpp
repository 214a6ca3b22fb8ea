// What changes where AVX-512 multiplies pairs of bf16: linear layers whose weights are bf16.  Milestone M6.
//
// vdpbf16ps adds two products to each lane, where an fma of floats adds one: twice the operations at the same pace.
// Both sides of a product are bf16, so activations are rounded to it first, once for all rows: to eight bits, about
// what the other formats' activations keep. (Denormal products and sums become 0: Intel's Software Developer's Manual,
// VDPBF16PS.)
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

RUNG_TARGET_BEGIN("avx512f,avx512bw,avx512dq,avx512vl,avx512vnni,avx512bf16,avx2,fma,f16c")

namespace rung {
namespace {

#include "kernels/avx512/lanes.h"
#include "kernels/avx512/vnni.h"
#include "kernels/lanes/formats.h"
#include "kernels/lanes/linear.h"

using V = Lanes<Vnni>;

// A tile of a prompt: 4 panels × 6 tokens are 24 sums; four registers hold weights, one the activations of a token. Ten
// loads feed its 24 products; 2 panels × 12 tokens, which take the panels that are left over, need fourteen.
constexpr int kPanelsAtOnce = 4, kTileTokens = 6, kFewPanels = 2, kFewPanelsTokens = 12;

// Fewer tokens wait for memory: tiles of 2 panels × 8 tokens ask for their weights just ahead of themselves, and part
// by part for the next panels', where a prompt's tiles ask for a share of these before they begin.
constexpr std::size_t kFewestTokens = 64;
constexpr int kDecodeTokens = 8;
enum class Asks { ahead, nothing };

// sums += the products of two columns: w of 16 rows, x of one token, the same in every lane.
inline __m512 add_pair(__m512 sums, __m512i w, __m512i x) {
  __m512bh of_w, of_x;
  __builtin_memcpy(&of_w, &w, 64);
  __builtin_memcpy(&of_x, &x, 64);
  return _mm512_dpbf16_ps(sums, of_w, of_x);
}

// `all`: the tokens that ask together.
template <int kPanels, int kTokens, Asks kAsks>
void pair_tile(const PanelProduct& task, std::size_t panel, std::size_t token, const TokenRange& all) {
  const std::size_t stride = bf16_stride(task.columns);
  const std::uint16_t* x = task.bf16_rows + token * stride;
  const Ahead ahead = kAsks == Asks::ahead ? prefetch_ahead<V, BF16<V>, kTokens>() : Ahead{};
  const std::byte* panels[kPanels];
  __m512 sums[kPanels][kTokens];
  RUNG_UNROLL
  for (int p = 0; p < kPanels; ++p) {
    panels[p] = task.panels + (panel + static_cast<std::size_t>(p)) * task.panel_bytes;
    RUNG_UNROLL
    for (int t = 0; t < kTokens; ++t) sums[p][t] = V::broadcast(0.0f);
  }
  const auto add = [&](const __m512i(&w)[kPanels]) __attribute__((always_inline)) {
    RUNG_UNROLL
    for (int t = 0; t < kTokens; ++t) {
      const __m512i two = V::four_bytes(reinterpret_cast<const std::int8_t*>(x + static_cast<std::size_t>(t) * stride));
      RUNG_UNROLL
      for (int p = 0; p < kPanels; ++p) sums[p][t] = add_pair(sums[p][t], w[p], two);
    }
    x += 2;
  };
  const NextPanels<BF16<V>, kPanels, kTokens> next(task, token, all);
  __m512i w[kPanels];
  for (std::size_t i = 0; i + 2 <= task.columns; i += 2) {
    if constexpr (kAsks == Asks::ahead) {
      if (i % kPartColumns<BF16<V>> == 0) next.ask(panels, 0);
    }
    RUNG_UNROLL
    for (int p = 0; p < kPanels; ++p) {
      if constexpr (kAsks == Asks::ahead) prefetch_line(panels[p], ahead);
      w[p] = V::load_bytes(panels[p]);
      panels[p] += 64;
    }
    add(w);
  }
  if (task.columns % 2 == 1) {  // the other of the pair is 0 on both sides
    RUNG_UNROLL
    for (int p = 0; p < kPanels; ++p) {
      w[p] = _mm512_cvtepu16_epi32(_mm256_loadu_si256(reinterpret_cast<const __m256i*>(panels[p])));
    }
    add(w);
  }
  store_tile<V, kPanels, kTokens>(sums, task, panel, token);
}

// The tokens [token, end) against so many panels. What comes next is asked for meanwhile, a share a tile.
template <int kPanels, int kTokensOfTile>
void prompt_tiles(const PanelProduct& task, std::size_t panel, std::size_t token, std::size_t end) {
  const std::byte* const next = task.panels + (panel + kPanels) * task.panel_bytes;
  const std::size_t tiles = (end - token + kTokensOfTile - 1) / kTokensOfTile, bytes = kPanels * task.panel_bytes;
  const std::size_t share = prefetch_share_bytes(bytes, tiles);
  std::size_t tile = 0;
  in_tiles<kTokensOfTile>(token, end, [&]<int kTokens>(std::size_t t) {
    prefetch_share(next, bytes, share, tile++);
    pair_tile<kPanels, kTokens, Asks::nothing>(task, panel, t, {token, end});
  });
}

template <int kPanels>
void decode_tiles(const PanelProduct& task, std::size_t panel) {
  const TokenRange all{0, task.tokens};
  in_tiles<kDecodeTokens>(all.first, all.end, [&]<int kTokens>(std::size_t t) {
    pair_tile<kPanels, kTokens, Asks::ahead>(task, panel, t, all);
  });
}

void pair_product(const PanelProduct& task) {
  std::size_t panel = task.first_panel;
  if (task.tokens < kFewestTokens) {
    for (; panel + kFewPanels <= task.end_panel; panel += kFewPanels) decode_tiles<kFewPanels>(task, panel);
    for (; panel < task.end_panel; ++panel) decode_tiles<1>(task, panel);
    return;
  }
  const std::size_t at_once =
      tokens_at_once(task.tokens, 2 * bf16_stride(task.columns), kPromptActivationBytes, kFewPanelsTokens);
  for (std::size_t token = 0; token < task.tokens; token += at_once) {
    const std::size_t end = task.tokens - token < at_once ? task.tokens : token + at_once;
    for (panel = task.first_panel; panel + kPanelsAtOnce <= task.end_panel; panel += kPanelsAtOnce) {
      prompt_tiles<kPanelsAtOnce, kTileTokens>(task, panel, token, end);
    }
    for (; panel + kFewPanels <= task.end_panel; panel += kFewPanels) {
      prompt_tiles<kFewPanels, kFewPanelsTokens>(task, panel, token, end);
    }
    for (; panel < task.end_panel; ++panel) prompt_tiles<1, kFewPanelsTokens>(task, panel, token, end);
  }
}

void round_to_bf16(std::uint16_t* out, const float* x, std::size_t n) {
  const std::size_t even = bf16_stride(n);
  for (std::size_t i = 0; i < even; i += 16) {
    const std::size_t some = even - i < 16 ? even - i : 16, there = n - i < 16 ? n - i : 16;
    const __m256bh rounded = _mm512_cvtneps_pbh(V::load_first(x + i, there));
    __builtin_memcpy(out + i, &rounded, 2 * some);
  }
}

// As the others (lanes/peaks.h).
std::uint64_t bf16_peak(std::size_t rounds) {
  constexpr int kSums = 12;  // twice as many as one takes cycles
  const __m512i ones = _mm512_set1_epi16(0x3f80);
  __m512i w = ones;
  __m512 sums[kSums];
  RUNG_UNROLL
  for (int s = 0; s < kSums; ++s) sums[s] = V::broadcast(static_cast<float>(s));
  for (std::size_t round = 0; round < rounds; ++round) {
    w = V::held(w);
    RUNG_UNROLL
    for (int s = 0; s < kSums; ++s) sums[s] = add_pair(sums[s], w, ones);
  }
  __m512 result[kSums];  // sums themselves must stay in registers
  for (int s = 0; s < kSums; ++s) result[s] = sums[s];
  asm volatile("" : : "r"(result) : "memory");
  return std::uint64_t{2} * 32 * kSums * rounds;
}

Kernels make() {
  Kernels k = avx512vnni::kernels();
  k.name = "avx512bf16";
  k.product(DType::bf16) = pair_product;
  k.round_to_bf16 = round_to_bf16;
  k.peaks.bf16 = bf16_peak;
  return k;
}

}  // namespace

const Kernels& avx512bf16::kernels() {
  static const Kernels kKernels = make();
  return kKernels;
}

}  // namespace rung

RUNG_TARGET_END

bool rung::avx512bf16::supported() { return avx512vnni::supported() && __builtin_cpu_supports("avx512bf16"); }

#endif
