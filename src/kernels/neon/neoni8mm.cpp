// What changes where NEON multiplies small matrices of bytes: panels against many tokens.  Milestone M6.
//
// One instruction, smmla, takes two rows of weights and two tokens, eight columns of each, to 2 × 2 sums in a register:
// twice the products of sdot, in the same time:
//
//   [row 0 · token 0, row 0 · token 1, row 1 · token 0, row 1 · token 1]
//
// So a panel's quants are unpacked in twos: eight columns of row 0, then of row 1; and a register's scales are those of
// its rows, twice each, times those of its tokens. What is added to a sum is what sdot's way adds, in the same order,
// so the bits are the same. (Arm Architecture Reference Manual for A-profile, SMMLA.)
#include "kernels/neon/neon.h"

#if defined(__aarch64__)

#include <arm_neon.h>
#if defined(__linux__)
#include <sys/auxv.h>
#elif defined(__APPLE__)
#include <sys/sysctl.h>
#endif

#include <concepts>
#include <cstddef>
#include <cstdint>
#include <initializer_list>

#include "kernels/panels.h"
#include "kernels/target.h"
#include "tensor/blocks.h"

#if defined(__clang__)
RUNG_TARGET_BEGIN("dotprod,i8mm")
#else
RUNG_TARGET_BEGIN("arch=armv8.2-a+dotprod+i8mm")
#endif

namespace rung {
namespace {

#include "kernels/neon/lanes.h"
#include "kernels/lanes/formats.h"
#include "kernels/lanes/linear.h"
#include "kernels/lanes/unpacked.h"
#include "kernels/lanes/peaks.h"

using V = Lanes;

// Values of two tokens for 16 rows: of the first eight rows, of the others.
template <class Lanes16>
struct TwoTokens {
  Lanes16 rows[2];
};

// a and b: of 16 rows each. In twos: a0 b0 a1 b1, a2 b2 a3 b3, …
TwoTokens<V::Floats> interleave(V::Floats a, V::Floats b) {
  TwoTokens<V::Floats> both;
  for (int i = 0; i < 4; ++i) {
    both.rows[i / 2].part[2 * i % 4] = vzip1q_f32(a.part[i], b.part[i]);
    both.rows[i / 2].part[2 * i % 4 + 1] = vzip2q_f32(a.part[i], b.part[i]);
  }
  return both;
}
// And back: of token 0, of token 1.
V::Floats of_token(const TwoTokens<V::Floats>& both, int token) {
  return each([&](int i) {
    const float32x4_t a = both.rows[i / 2].part[2 * i % 4], b = both.rows[i / 2].part[2 * i % 4 + 1];
    return token == 0 ? vuzp1q_f32(a, b) : vuzp2q_f32(a, b);
  });
}
// Both tokens' factors beside each other, in every register.
V::Floats of_tokens(float first, float second) {
  const float32x2_t both = {first, second};
  return each([&](int) { return vcombine_f32(both, both); });
}

// With products of matrices: a panel against two tokens. Quants are signed bytes.
template <class Shape>
struct MatrixProducts {
  using Columns = UnpackedColumns<Shape>;
  static constexpr std::size_t kActivationBytes = kPromptActivationBytes;
  static constexpr std::size_t kTokens = 2, kTokenStep = 2;
  // Unpacked, two panels are 23 KB: they fit into every first-level cache, and both meet a tile's activations while
  // these are there, too.
  static constexpr std::size_t kPanelsAtOnce = 2;

  struct Setup {};

  // One group of a block: the integers of 16 rows and both tokens.
  static TwoTokens<V::Integers> multiply_group(const UnpackedBlock<Shape>& w, const std::int8_t* x0,
                                               const std::int8_t* x1, int group) {
    constexpr int kSteps = 4 / Shape::kGroups;
    TwoTokens<V::Integers> whole = {{V::integers(0), V::integers(0)}};
    RUNG_UNROLL
    for (int step = kSteps * group; step < kSteps * (group + 1); ++step) {
      const int8x16_t x = vcombine_s8(vld1_s8(x0 + 8 * step), vld1_s8(x1 + 8 * step));
      RUNG_UNROLL
      for (int i = 0; i < 8; ++i) {
        int32x4_t& sums = whole.rows[i / 4].part[i % 4];
        sums = vmmlaq_s32(sums, vld1q_s8(w.quants[2 * step + i / 4] + 16 * (i % 4)), x);
      }
    }
    return whole;
  }

  [[gnu::noinline]] static void multiply_panel(const PanelProduct& task, const UnpackedBlock<Shape>* w,
                                               const ColumnPiece& piece, std::size_t panel, std::size_t token) {
    const ActivationBlock* x0 = task.blocks + token * piece.all + piece.first;
    const ActivationBlock* x1 = x0 + piece.all;
    const OutputTile tile(task, panel, token);
    TwoTokens<V::Floats> sums = interleave(begin_piece<V>(tile, 0, piece), begin_piece<V>(tile, 1, piece));
    for (std::size_t b = 0; b < piece.count; ++b, ++w, ++x0, ++x1) {
      RUNG_UNROLL
      for (int group = 0; group < Shape::kGroups; ++group) {
        const TwoTokens<V::Integers> whole = multiply_group(*w, x0->q, x1->q, group);
        const V::Floats scales = V::load(w->scales[group]),
                        mins = Shape::kHasMins ? V::load(w->mins[group]) : V::broadcast(0.0f);
        const TwoTokens<V::Floats> row_scales = interleave(scales, scales), row_mins = interleave(mins, mins);
        const V::Floats x_scale = of_tokens(x0->scale, x1->scale);
        const V::Floats x_sum = of_tokens(sum_of<Shape>(*x0, group), sum_of<Shape>(*x1, group));
        RUNG_UNROLL
        for (int i = 0; i < 2; ++i) {
          sums.rows[i] =
              with_group<V, Shape>(sums.rows[i], whole.rows[i], row_scales.rows[i], row_mins.rows[i], x_scale, x_sum);
        }
      }
    }
    end_piece<V>(tile, 0, piece, of_token(sums, 0));
    end_piece<V>(tile, 1, piece, of_token(sums, 1));
  }

  static void multiply(const PanelProduct& task, const Columns* columns, const ColumnPiece& piece, std::size_t panel,
                       std::size_t panels, std::size_t token, std::size_t) {
    for (std::size_t p = 0; p < panels; ++p) multiply_panel(task, columns[p].blocks, piece, panel + p, token);
  }
};

template <class Format_, DType kType>
struct ByMatrixProducts : MatrixProducts<UnpackedShape<8, 0, Format_::kGroups, Format_::kHasMins, true>> {
  using Format = Format_;
  static constexpr std::size_t kPieceBlocks = kBlocksOfPiece<Format>;
  static std::size_t fewest_tokens() { return 6; }
  static void few_tokens(const PanelProduct& task) { neon::kernels().product(kType)(task); }

  // Signed; four columns and four more of 16 rows become eight columns of rows 0 and 1, of rows 2 and 3, …
  static void make_ready(V::Bytes (&eight)[2]) {
    if constexpr (Format::kOffset > 0) {
      for (V::Bytes& quants : eight) {
        quants = each([&](int i) { return vsubq_u8(quants.part[i], vdupq_n_u8(1 << Format::kOffset)); });
      }
    }
    const V::Bytes first = eight[0], second = eight[1];
    for (int i = 0; i < 4; ++i) {
      const uint32x4_t a = vreinterpretq_u32_u8(first.part[i]), b = vreinterpretq_u32_u8(second.part[i]);
      eight[i / 2].part[2 * i % 4] = vreinterpretq_u8_u32(vzip1q_u32(a, b));
      eight[i / 2].part[2 * i % 4 + 1] = vreinterpretq_u8_u32(vzip2q_u32(a, b));
    }
  }
};

struct MatrixLanes : Lanes {
  static Integers dot(Integers sums, Bytes w, Bytes x) {
    return each([&](int i) {
      return vmmlaq_s32(sums.part[i], vreinterpretq_s8_u8(w.part[i]), vreinterpretq_s8_u8(x.part[i]));
    });
  }
};

// A step of dot products adds four products to a sum, one of matrices eight.
std::uint64_t matrix_peak(std::size_t rounds) { return 2 * int8_peak<MatrixLanes, 5>(rounds); }

Kernels make() {
  Kernels k = neon::kernels();
  k.name = "neoni8mm";
  use_products<V>(k, []<class Format, DType kType>() -> Kernels::Product {
    return unpacked_product<V, ByMatrixProducts<Format, kType>>;
  });
  k.peaks.int8 = matrix_peak;
  return k;
}

}  // namespace

const Kernels& neoni8mm::kernels() {
  static const Kernels kKernels = make();
  return kKernels;
}

}  // namespace rung

RUNG_TARGET_END

bool rung::neoni8mm::supported() {
#if defined(__linux__)
  constexpr unsigned long kMatrixProduct = 1ul << 13;  // HWCAP2_I8MM
  return neon::supported() && (::getauxval(AT_HWCAP2) & kMatrixProduct) != 0;
#elif defined(__APPLE__)
  int has = 0;
  std::size_t size = sizeof has;
  return neon::supported() && ::sysctlbyname("hw.optional.arm.FEAT_I8MM", &has, &size, nullptr, 0) == 0 && has != 0;
#else
  return false;
#endif
}

#endif
