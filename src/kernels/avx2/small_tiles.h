// Four tokens against an unpacked panel, where registers are few.  Milestone M6.
//
// Included by avx2.cpp and avx2vnni.cpp, inside their target region, after lanes/unpacked.h: a way to multiply for it.
// The sums of integers of four tokens take eight of the sixteen registers; weights, activations and a product take the
// others. So the sums of floats, which change once in 32 columns, wait in the first-level cache.
#pragma once

template <class V, class Shape>
struct SmallTiles {
  using Columns = UnpackedColumns<Shape, 32>;  // 20 KB, or 24 where groups are of 16, of a first-level cache of 32
  using Unpacked = UnpackedFormat<V, Shape>;
  static constexpr std::size_t kActivationBytes = std::size_t{1} << 18;  // of a second-level cache of 512 KB
  static constexpr std::size_t kPanelsAtOnce = 1, kTokens = 4, kTokenStep = 1, kPieceBlocks = 32;

  struct Setup {};

  // A block of 32 columns of kTokensOfTile tokens into their sums.
  template <int kTokensOfTile>
  static void add_block(float (&sums)[kTokensOfTile][16], const UnpackedBlock<Shape>& block,
                        const ActivationBlock* const (&x)[kTokensOfTile]) {
    asm("" : "+m"(sums));  // or the compiler would hold them in registers that it does not have
    const std::byte* const panel[1] = {reinterpret_cast<const std::byte*>(&block)};
    typename Unpacked::Scales scales;
    scales.read(panel[0]);
    RUNG_UNROLL
    for (int group = 0; group < Shape::kGroups; ++group) {
      typename V::Integers whole[1][kTokensOfTile];
      dot_group<V, Unpacked, 1, kTokensOfTile, typename V::template Dot<Shape::kSigned>>(whole, panel, x, 0, group);
      const typename V::Floats of_group = scales.of(0, group), mins = mins_of<V, Unpacked>(scales, 0, group);
      RUNG_UNROLL
      for (int t = 0; t < kTokensOfTile; ++t) {
        V::store(sums[t], with_group<V, Shape>(V::load(sums[t]), whole[0][t], of_group, mins, *x[t], group));
      }
    }
  }

  template <int kTokensOfTile>
  static void multiply_tile(const PanelProduct& task, const Columns& columns, const ColumnPiece& piece,
                            std::size_t panel, std::size_t token) {
    const OutputTile tile(task, panel, token);
    alignas(64) float sums[kTokensOfTile][16];
    const ActivationBlock* x[kTokensOfTile];
    RUNG_UNROLL
    for (int t = 0; t < kTokensOfTile; ++t) {
      const auto i = static_cast<std::size_t>(t);
      x[t] = task.blocks + (token + i) * piece.all + piece.first;
      V::store(sums[t], begin_piece<V>(tile, i, piece));
    }
    for (std::size_t b = 0; b < piece.count; ++b) {
      add_block<kTokensOfTile>(sums, columns.blocks[b], x);
      RUNG_UNROLL
      for (int t = 0; t < kTokensOfTile; ++t) ++x[t];
    }
    for (int t = 0; t < kTokensOfTile; ++t) end_piece<V>(tile, static_cast<std::size_t>(t), piece, V::load(sums[t]));
  }

  static void multiply(const PanelProduct& task, const Columns* columns, const ColumnPiece& piece, std::size_t panel,
                       std::size_t, std::size_t token, std::size_t tokens) {
    in_tiles<static_cast<int>(kTokens)>(token, token + tokens, [&]<int kTokensOfTile>(std::size_t t) {
      multiply_tile<kTokensOfTile>(task, *columns, piece, panel, t);
    });
  }
};

// Here quants stay as they are: the fewer bits they have, the longer the chains of their products.
template <class V, class Format_>
struct BySmallTiles
    : SmallTiles<
          V, UnpackedShape<Format_::kBits, Format_::kOffset, Format_::kGroups, Format_::kHasMins, Format_::kSigned>> {
  using Format = Format_;
  // From so many tokens on it pays to unpack; sooner for K-quants, which take longer to read.
  static std::size_t fewest_tokens() { return Format::kColumns == 32 ? 9 : 5; }
  static void few_tokens(const PanelProduct& task) { panel_product<V, Format>(task); }

  static void make_ready(typename V::Bytes (&)[2]) {}
};

template <class V>
void use_small_tiles(Kernels& k) {
  use_products<V>(
      k, []<class Format, DType>() -> Kernels::Product { return unpacked_product<V, BySmallTiles<V, Format>>; });
}
