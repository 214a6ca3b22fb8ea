// What changes where there is AMX beside AVX-512: panels against many tokens.  Milestone M6.
//
// AMX multiplies whole tiles: registers of up to 16 rows of 64 bytes. One instruction, tdpbssd, takes 16 tokens × 32 columns (A) and
// 32 columns × 16 rows of weights (B) to 16 × 16 sums (C), of signed bytes and exact in 32 bits:
//
//   C[t][row] = Σ_g Σ_i A[t][4g + i]·B[g][4·row + i]          B[g]: four columns of each of 16 rows, which is how a panel has them
//
// A panel is unpacked once: its quants as signed bytes, its scales and mins as floats. Then the integers of 16 tokens come from the tile
// unit by way of memory, while the vector unit scales and adds those of the 32 columns before. Tokens that fill no tile go as without AMX.
// The integers are the same and what is added to the sums is, too, so the bits are. (Intel 64 and IA-32 Architectures Software
// Developer's Manual, volume 1, chapter 18; Linux's Documentation/arch/x86/xstate.rst for the permission.)
#include "kernels/avx512/avx512.h"

#if defined(__x86_64__)

#include <immintrin.h>

#include <cstddef>
#include <cstdint>

#include "kernels/panels.h"
#include "kernels/target.h"

#if defined(__linux__)
#include <sys/syscall.h>
#include <unistd.h>
#endif

#if defined(__GNUC__) && !defined(__clang__)
#pragma GCC diagnostic ignored "-Wuninitialized"        // g++ 12 finds its own AVX-512 intrinsics uninitialised
#pragma GCC diagnostic ignored "-Wmaybe-uninitialized"
#endif

RUNG_TARGET_BEGIN("avx512f,avx512bw,avx512dq,avx512vl,avx512vnni,avx2,fma,f16c,amx-tile,amx-int8")

namespace rung {
namespace {

#include "kernels/avx512/lanes.h"
#include "kernels/avx512/vnni.h"
#include "kernels/lanes/formats.h"
#include "kernels/lanes/linear.h"
#include "kernels/lanes/unpacked.h"

using V = Lanes<Vnni>;

constexpr std::size_t kRowsOfTile = 16;

// What the tile unit computes: the sums of 16 tokens, 16 rows each.
struct alignas(64) Whole {
  std::int32_t of[kRowsOfTile][16];
};

// The tile registers. The compilers' own intrinsics do not all say what memory they read and write, so these statements do, except
// for activations: nobody writes them meanwhile.
template <int kTile, class Tile>
void load_tile(const Tile& tile) {
  asm volatile("tileloadd (%0,%1,1), %%tmm%c2" : : "r"(&tile), "r"(std::size_t{64}), "i"(kTile), "m"(tile));
}
template <int kTile>
void load_tokens(const std::int8_t* q, std::size_t stride) {
  asm volatile("tileloadd (%0,%1,1), %%tmm%c2" : : "r"(q), "r"(stride), "i"(kTile));
}
template <int kTile>
void store_tile(Whole& whole) {
  asm volatile("tilestored %%tmm%c3, (%1,%2,1)" : "=m"(whole) : "r"(&whole), "r"(std::size_t{64}), "i"(kTile));
}
template <int kTile>
void clear_tile() {
  asm volatile("tilezero %%tmm%c0" : : "i"(kTile));
}
template <int kC, int kA, int kB>
void multiply_tiles() {
  asm volatile("tdpbssd %%tmm%c2, %%tmm%c1, %%tmm%c0" : : "i"(kC), "i"(kA), "i"(kB));
}

// While it lives, this thread's tile registers have shapes: two of each kind, so that the next tiles are loaded while these are multiplied.
class Tiles {
 public:
  // columns: how many of them a product of tiles sums over, 32 or 16.
  explicit Tiles(int columns) {
    Shapes shapes = {};
    shapes.palette = 1;
    for (int side = 0; side < 2; ++side) {
      shapes.set(kC + side, kRowsOfTile, 64);
      shapes.set(kA + side, kRowsOfTile, columns);
      shapes.set(kB + side, static_cast<std::size_t>(columns / 4), 64);
    }
    asm volatile("ldtilecfg %0" : : "m"(shapes));
  }
  ~Tiles() { asm volatile("tilerelease"); }
  Tiles(const Tiles&) = delete;
  Tiles& operator=(const Tiles&) = delete;

  static constexpr int kC = 0, kA = 2, kB = 4;

 private:
  struct Shapes {  // as ldtilecfg reads it
    std::uint8_t palette, start_row, reserved[14];
    std::uint16_t row_bytes[16];
    std::uint8_t rows[16];
    void set(int tile, std::size_t rows_of_it, int bytes) {
      rows[tile] = static_cast<std::uint8_t>(rows_of_it);
      row_bytes[tile] = static_cast<std::uint16_t>(bytes);
    }
  };
  static_assert(sizeof(Shapes) == 64);
};

// With tiles: a panel against 16 tokens.
template <class Format_>
struct ByTiles {
  using Format = Format_;
  static constexpr std::size_t kPanelsAtOnce = 3, kTokens = kRowsOfTile, kFewestTokens = kRowsOfTile;
  static constexpr int kGroupColumns = 32 / Format::kGroups;

  struct Setup : Tiles {
    Setup() : Tiles(kGroupColumns) {}
  };

  struct Group {  // so many columns of a block
    std::int8_t quants[kGroupColumns / 4][64];
  };

  static __m512i ready(__m512i quants) {  // signed
    if constexpr (Format::kOffset == 0) return quants;
    return _mm512_sub_epi8(quants, _mm512_set1_epi8(1 << Format::kOffset));
  }

  // The integers of group g of the piece.
  template <int kSide>
  static void multiply(Whole& whole, const UnpackedBlock<Format>* w, const ActivationBlock* x, std::size_t stride, std::size_t g) {
    const std::size_t block = g / Format::kGroups, group = g % Format::kGroups;
    load_tokens<Tiles::kA + kSide>(x[block].q + kGroupColumns * group, stride * sizeof(ActivationBlock));
    load_tile<Tiles::kB + kSide>(reinterpret_cast<const Group*>(w[block].quants)[group]);
    clear_tile<Tiles::kC + kSide>();
    multiply_tiles<Tiles::kC + kSide, Tiles::kA + kSide, Tiles::kB + kSide>();
    store_tile<Tiles::kC + kSide>(whole);
  }

  static void add(V::Floats (&sums)[kTokens], const Whole& whole, const UnpackedBlock<Format>* w, const ActivationBlock* x,
                  std::size_t stride, std::size_t g) {
    const std::size_t block = g / Format::kGroups, group = g % Format::kGroups;
    const V::Floats scales = V::load(w[block].scales[group]), mins = V::load(w[block].mins[group]);
    RUNG_UNROLL
    for (std::size_t t = 0; t < kTokens; ++t) {
      // That is t·stride, so written that four addresses are kept instead of sixteen.
      const ActivationBlock& of_token = x[t / 4 * (4 * stride) + t % 4 * stride + block];
      sums[t] = with_group<V, Format>(sums[t], _mm512_load_si512(whole.of[t]), scales, mins, of_token, static_cast<int>(group));
    }
  }

  // Two groups are under way at a time: the integers of one are computed while the other's are scaled.
  [[gnu::noinline]] static void multiply_panel(const PanelProduct& task, const UnpackedBlock<Format>* w, const ColumnPiece& piece,
                                               std::size_t panel, std::size_t token) {
    const ActivationBlock* const x = task.blocks + token * piece.all + piece.first;
    const std::size_t groups = Format::kGroups * piece.count;
    const OutputTile tile(task, panel, token);
    Whole whole[2];
    V::Floats sums[kTokens];
    RUNG_UNROLL
    for (std::size_t t = 0; t < kTokens; ++t) sums[t] = begin_piece<V>(tile, t, piece);
    multiply<0>(whole[0], w, x, piece.all, 0);
    std::size_t g = 0;
    for (; g + 2 <= groups; g += 2) {
      multiply<1>(whole[1], w, x, piece.all, g + 1);
      add(sums, whole[0], w, x, piece.all, g);
      if (g + 2 < groups) multiply<0>(whole[0], w, x, piece.all, g + 2);
      add(sums, whole[1], w, x, piece.all, g + 1);
    }
    if (g < groups) add(sums, whole[0], w, x, piece.all, g);
    RUNG_UNROLL
    for (std::size_t t = 0; t < kTokens; ++t) end_piece<V>(tile, t, piece, sums[t]);
  }

  static void multiply_all(const PanelProduct& task, const UnpackedColumns<Format>* columns, const ColumnPiece& piece, std::size_t panel,
                           std::size_t panels, std::size_t token) {
    for (std::size_t p = 0; p < panels; ++p) multiply_panel(task, columns[p].blocks, piece, panel + p, token);
  }
};

// Full tiles, 64 columns, into four sums in turn.
std::uint64_t tile_peak(std::size_t rounds) {
  const Whole zeros = {};
  const Tiles tiles(64);
  load_tile<4>(zeros);
  load_tile<5>(zeros);
  for (std::size_t round = 0; round < rounds; ++round) {
    multiply_tiles<0, 4, 5>();
    multiply_tiles<1, 4, 5>();
    multiply_tiles<2, 4, 5>();
    multiply_tiles<3, 4, 5>();
  }
  return std::uint64_t{2} * 16 * 16 * 64 * 4 * rounds;
}

Kernels make() {
  Kernels k = avx512bf16::kernels();
  k.name = "avx512amx";
  use_products<V>(k, []<class Format>() -> Kernels::Product { return unpacked_product<V, ByTiles<Format>>; });
  k.peaks.int8 = tile_peak;
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
         syscall(SYS_arch_prctl, kRequestPermission, kTileData) == 0;
#else
  return false;
#endif
}

#endif
