// What changes where there is AMX beside AVX-512: panels against many tokens, and those of bf16 (bf16_tiles.h).
// Milestone M6.
//
// AMX multiplies whole tiles: registers of up to 16 rows of 64 bytes. One instruction, tdpbssd, takes 16 tokens × 32
// columns (A) and 32 columns × 16 rows of weights (B) to 16 × 16 sums (C), of signed bytes and exact in 32 bits:
//
//   C[t][row] = Σ_g Σ_i A[t][4g + i]·B[g][4·row + i]          B[g]: four columns of each of 16 rows,
//                                                             which is how a panel has them
//
// A panel is unpacked once: its quants as signed bytes, its scales and mins as floats. Then the integers of 16 tokens
// come from the tile unit by way of memory, while the vector unit scales and adds those of the 32 columns before.
// Tokens that fill no tile go as without AMX. The integers are the same and what is added to the sums is, too, so the
// bits are. (Linux's Documentation/arch/x86/xstate.rst for the permission.)
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

#if defined(__linux__)
#include <sys/syscall.h>
#include <unistd.h>
#endif

#if defined(__GNUC__) && !defined(__clang__)
#pragma GCC diagnostic ignored "-Wuninitialized"  // g++ 12 finds its own AVX-512 intrinsics uninitialised
#pragma GCC diagnostic ignored "-Wmaybe-uninitialized"
#endif

RUNG_TARGET_BEGIN("avx512f,avx512bw,avx512dq,avx512vl,avx512vnni,avx2,fma,f16c,amx-tile,amx-int8,amx-bf16")

namespace rung {
namespace {

#include "kernels/avx512/lanes.h"
#include "kernels/avx512/vnni.h"
#include "kernels/lanes/formats.h"
#include "kernels/lanes/linear.h"
#include "kernels/lanes/unpacked.h"

using V = Lanes<Vnni>;

#include "kernels/avx512/tiles.h"
#include "kernels/avx512/bf16_tiles.h"

// What the tile unit computes: the sums of 16 tokens, 16 rows each.
struct alignas(64) Whole {
  std::int32_t of[kRowsOfTile][16];
};

// Two of each kind, so that the next tiles are loaded while these are multiplied.
struct Tiles : ShapedTiles {
  static constexpr int kC = 0, kA = 2, kB = 4;
  // columns: how many of them a product of tiles sums over: 16, 32 or 64.
  explicit Tiles(std::size_t columns) : ShapedTiles(shapes(columns)) {}
  static TileShapes shapes(std::size_t columns) {
    TileShapes all;
    for (int side = 0; side < 2; ++side) {
      all.set(kC + side, kRowsOfTile, 64);
      all.set(kA + side, kRowsOfTile, columns);
      all.set(kB + side, columns / 4, 64);
    }
    return all;
  }
};

// With tiles: a panel against 16 tokens. Quants are signed bytes.
template <class Shape>
struct TileProducts {
  using Columns = UnpackedColumns<Shape>;
  static constexpr std::size_t kActivationBytes = kPromptActivationBytes;
  static constexpr std::size_t kPanelsAtOnce = 3, kTokens = kRowsOfTile, kTokenStep = kRowsOfTile;
  static constexpr int kGroupColumns = 32 / Shape::kGroups;

  struct Setup : Tiles {
    Setup() : Tiles(kGroupColumns) {}
  };

  struct Group {  // so many columns of a block
    std::int8_t quants[kGroupColumns / 4][64];
  };

  // The integers of group g of the piece.
  template <int kSide>
  static void multiply_group(Whole& whole, const UnpackedBlock<Shape>* w, const ActivationBlock* x, std::size_t stride,
                             std::size_t g) {
    const std::size_t block = g / Shape::kGroups, group = g % Shape::kGroups;
    load_tokens<Tiles::kA + kSide>(x[block].q + kGroupColumns * group, stride * sizeof(ActivationBlock));
    load_tile<Tiles::kB + kSide>(reinterpret_cast<const Group*>(w[block].quants)[group]);
    clear_tile<Tiles::kC + kSide>();
    multiply_tiles<Tiles::kC + kSide, Tiles::kA + kSide, Tiles::kB + kSide>();
    store_tile<Tiles::kC + kSide>(whole);
  }

  static void add(V::Floats (&sums)[kTokens], const Whole& whole, const UnpackedBlock<Shape>* w,
                  const ActivationBlock* x, std::size_t stride, std::size_t g) {
    const std::size_t block = g / Shape::kGroups, group = g % Shape::kGroups;
    const V::Floats scales = V::load(w[block].scales[group]), mins = V::load(w[block].mins[group]);
    RUNG_UNROLL
    for (std::size_t t = 0; t < kTokens; ++t) {
      // That is t·stride, so written that four addresses are kept instead of sixteen.
      const ActivationBlock& of_token = x[t / 4 * (4 * stride) + t % 4 * stride + block];
      sums[t] = with_group<V, Shape>(sums[t], _mm512_load_si512(whole.of[t]), scales, mins, of_token,
                                     static_cast<int>(group));
    }
  }

  // Two groups are under way at a time: the integers of one are computed while the other's are scaled.
  [[gnu::noinline]] static void multiply_panel(const PanelProduct& task, const UnpackedBlock<Shape>* w,
                                               const ColumnPiece& piece, std::size_t panel, std::size_t token) {
    const ActivationBlock* const x = task.blocks + token * piece.all + piece.first;
    const std::size_t groups = Shape::kGroups * piece.count;
    const OutputTile tile(task, panel, token);
    Whole whole[2];
    V::Floats sums[kTokens];
    RUNG_UNROLL
    for (std::size_t t = 0; t < kTokens; ++t) sums[t] = begin_piece<V>(tile, t, piece);
    multiply_group<0>(whole[0], w, x, piece.all, 0);
    std::size_t g = 0;
    for (; g + 2 <= groups; g += 2) {
      multiply_group<1>(whole[1], w, x, piece.all, g + 1);
      add(sums, whole[0], w, x, piece.all, g);
      if (g + 2 < groups) multiply_group<0>(whole[0], w, x, piece.all, g + 2);
      add(sums, whole[1], w, x, piece.all, g + 1);
    }
    if (g < groups) add(sums, whole[0], w, x, piece.all, g);
    RUNG_UNROLL
    for (std::size_t t = 0; t < kTokens; ++t) end_piece<V>(tile, t, piece, sums[t]);
  }

  static void multiply(const PanelProduct& task, const Columns* columns, const ColumnPiece& piece, std::size_t panel,
                       std::size_t panels, std::size_t token, std::size_t) {
    for (std::size_t p = 0; p < panels; ++p) multiply_panel(task, columns[p].blocks, piece, panel + p, token);
  }
};

template <class Format_, DType kType>
struct ByTiles : TileProducts<UnpackedShape<8, 0, Format_::kGroups, Format_::kHasMins, true>> {
  using Format = Format_;
  static constexpr std::size_t kPieceBlocks = kBlocksOfPiece<Format>;
  static std::size_t fewest_tokens() { return kRowsOfTile; }
  static void few_tokens(const PanelProduct& task) { avx512vnni::kernels().product(kType)(task); }

  static void make_ready(__m512i (&eight)[2]) {  // signed
    if constexpr (Format::kOffset == 0) return;
    for (__m512i& quants : eight) quants = _mm512_sub_epi8(quants, _mm512_set1_epi8(1 << Format::kOffset));
  }
};

// Full tiles of so many columns into four sums in turn: multiply<kC>() adds a product of tiles to tile kC.
template <int kA, int kB, class Multiply>
std::uint64_t tile_peak(const TileShapes& shapes, std::size_t columns, std::size_t rounds, Multiply multiply) {
  const Whole zeros = {};
  const ShapedTiles tiles(shapes);
  load_tile<kA>(zeros);
  load_tile<kB>(zeros);
  for (std::size_t round = 0; round < rounds; ++round) {
    multiply.template operator()<0>();
    multiply.template operator()<1>();
    multiply.template operator()<2>();
    multiply.template operator()<3>();
  }
  return std::uint64_t{2} * kRowsOfTile * kRowsOfTile * columns * 4 * rounds;
}

std::uint64_t int8_tile_peak(std::size_t rounds) {
  return tile_peak<4, 5>(Tiles::shapes(64), 64, rounds, []<int kC> { multiply_tiles<kC, 4, 5>(); });
}

std::uint64_t bf16_tile_peak(std::size_t rounds) {
  return tile_peak<4, 6>(Bf16Tiles::shapes(kRowsOfTile), 32, rounds, []<int kC> { multiply_bf16_tiles<kC, 4, 6>(); });
}

Kernels make() {
  Kernels k = avx512bf16::kernels();
  k.name = "avx512amx";
  k.product(DType::bf16) = Bf16Tiles::product;
  k.peaks.bf16 = bf16_tile_peak;
  use_products<V>(
      k, []<class Format, DType kType>() -> Kernels::Product { return unpacked_product<V, ByTiles<Format, kType>>; });
  k.peaks.int8 = int8_tile_peak;
  return k;
}

}  // namespace

const Kernels& avx512amx::kernels() {
  static const Kernels kKernels = make();
  return kKernels;
}

}  // namespace rung

RUNG_TARGET_END

// A thread that uses the tiles has 8 KB more to be saved at each switch, so Linux wants a process to ask first.
bool rung::avx512amx::supported() {
#if defined(__linux__)
  constexpr long kRequestPermission = 0x1023, kTileData = 18;  // ARCH_REQ_XCOMP_PERM, XFEATURE_XTILEDATA
  return avx512bf16::supported() && __builtin_cpu_supports("amx-tile") && __builtin_cpu_supports("amx-int8") &&
         __builtin_cpu_supports("amx-bf16") && syscall(SYS_arch_prctl, kRequestPermission, kTileData) == 0;
#else
  return false;
#endif
}

#endif
