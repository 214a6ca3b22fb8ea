// Many tokens against panels that are unpacked for them once.  Milestone M6.
//
// Included by the sets that have a way to multiply what is unpacked (ByDotProducts, or their own), inside their target
// region and namespace, after linear.h.
//
// Quants of four bits have to be shifted and masked before they are multiplied, scales of six bits put together. A
// prompt's tokens all meet the same weights: so some columns of a few panels become plain bytes and floats, which stay
// in the first-level cache while the tokens go by. The sums of a tile of tokens stay at hand for these columns, and
// wait in the output for the next ones. What is added to them is what panel_product adds, in the same order.
#pragma once

// What of a format matters once its panels are unpacked: formats that agree in it share their tiles, so that these are
// compiled once.
template <int kBits_, int kOffset_, int kGroups_, bool kHasMins_, bool kSigned_>
struct UnpackedShape {
  static constexpr int kBits = kBits_, kOffset = kOffset_, kGroups = kGroups_;
  static constexpr bool kHasMins = kHasMins_, kSigned = kSigned_;
};

// 32 columns of a panel.
template <class Shape>
struct alignas(64) UnpackedBlock {
  std::int8_t quants[8][64];
  float scales[Shape::kGroups][16];
  float mins[Shape::kGroups][16];  // where kHasMins
};

// As many columns as leave room in 48 KB for three panels of them and for the activations of 16 tokens: 576, or two
// blocks of 256. (A way to multiply may take another number.)
template <class Format>
inline constexpr std::size_t kBlocksOfPiece = Format::kColumns == 32 ? 18 : 16;

template <class Shape, std::size_t kBlocks = 18>
struct UnpackedColumns {
  UnpackedBlock<Shape> blocks[kBlocks];
};

// Blocks of 32 columns [first, first + count) of a row of activations of `all` blocks.
struct ColumnPiece {
  std::size_t first, count, all;
};

// columns ← this piece of the panel at p; Way::make_ready: the quants of eight columns as this way to multiply wants
// them.
template <class V, class Way, class Format = typename Way::Format>
void unpack(typename Way::Columns& columns, const std::byte* p, const ColumnPiece& piece) {
  constexpr std::size_t kParts = Format::kColumns / 32;
  p += piece.first / kParts * Format::kBytes;
  typename Format::Scales scales;
  for (std::size_t b = 0; b < piece.count; ++b) {
    auto& block = columns.blocks[b];
    const int s = static_cast<int>(b % kParts);
    if (s == 0) scales.read(p);
    RUNG_UNROLL
    for (int g = 0; g < 8; g += 2) {
      typename V::Bytes eight[2] = {Format::quants(p, s, g), Format::quants(p, s, g + 1)};
      Way::make_ready(eight);
      V::store_bytes(block.quants[g], eight[0]);
      V::store_bytes(block.quants[g + 1], eight[1]);
    }
    RUNG_UNROLL
    for (int group = 0; group < Format::kGroups; ++group) {
      V::store(block.scales[group], scales.of(s, group));
      if constexpr (Format::kHasMins) V::store(block.mins[group], scales.min(s, group));
    }
    if (b % kParts == kParts - 1) p += Format::kBytes;
  }
}

// The sums of a piece begin where the piece before left them, and wait for the next one in the output. Its line is
// asked for at once: a store that waits for memory would hold up those behind it.
template <class V>
typename V::Floats begin_piece(const OutputTile& tile, std::size_t t, const ColumnPiece& piece) {
  __builtin_prefetch(tile.out + t * tile.stride, 1);
  return piece.first == 0 ? V::broadcast(0.0f) : tile.load<V>(t);
}
template <class V>
void end_piece(const OutputTile& tile, std::size_t t, const ColumnPiece& piece, typename V::Floats sums) {
  if (piece.first + piece.count == piece.all) return tile.finish<V>(t, sums);
  tile.store<V>(t, sums);
}

// An unpacked block as a format of its own (formats.h), with quants as Way::make_ready left them.
template <class V, class Shape>
struct UnpackedFormat : Shape {
  using Scales = EachScale<UnpackedFormat>;
  static constexpr std::size_t kColumns = 32, kBytes = sizeof(UnpackedBlock<Shape>);
  static const UnpackedBlock<Shape>& at(const std::byte* p) {
    return *reinterpret_cast<const UnpackedBlock<Shape>*>(p);
  }
  static typename V::Bytes quants(const std::byte* p, int, int g) {
    return V::load_bytes(reinterpret_cast<const std::byte*>(at(p).quants[g]));
  }
  static typename V::Floats scales(const std::byte* p, int, int group) { return V::load(at(p).scales[group]); }
  static typename V::Floats mins(const std::byte* p, int, int group) { return V::load(at(p).mins[group]); }
};

template <class V, bool kSigned>
struct ReadyDot : V::template Dot<kSigned> {
  static typename V::Integers add(typename V::Integers sums, typename V::Bytes w, typename V::Bytes x) {
    return kSigned ? V::dot_ready8(sums, w, x) : V::dot(sums, w, x);
  }
};

// The tiles of ByDotProducts.
template <class V, class Shape>
struct DotProductTiles {
  using Columns = UnpackedColumns<Shape>;
  using Unpacked = UnpackedFormat<V, Shape>;
  static constexpr std::size_t kPanelsAtOnce = V::kTilePanels, kTokens = V::kTileTokens, kTokenStep = 1;
  static constexpr std::size_t kActivationBytes = kPromptActivationBytes;

  struct Setup {};

  template <int kPanels, int kTokensOfTile>
  [[gnu::noinline]] static void multiply_tile(const PanelProduct& task, const Columns* columns,
                                              const ColumnPiece& piece, std::size_t panel, std::size_t token) {
    const ActivationBlock* x[kTokensOfTile];
    const std::byte* panels[kPanels];
    typename Unpacked::Scales scales[kPanels];
    typename V::Floats sums[kPanels][kTokensOfTile];
    RUNG_UNROLL
    for (int p = 0; p < kPanels; ++p) {
      panels[p] = reinterpret_cast<const std::byte*>(columns[p].blocks);
      const OutputTile tile(task, panel + static_cast<std::size_t>(p), token);
      RUNG_UNROLL
      for (int t = 0; t < kTokensOfTile; ++t) sums[p][t] = begin_piece<V>(tile, static_cast<std::size_t>(t), piece);
    }
    RUNG_UNROLL
    for (int t = 0; t < kTokensOfTile; ++t) {
      x[t] = task.blocks + (token + static_cast<std::size_t>(t)) * piece.all + piece.first;
    }
    for (std::size_t b = 0; b < piece.count; ++b) {
      RUNG_UNROLL
      for (int p = 0; p < kPanels; ++p) scales[p].read(panels[p]);
      RUNG_UNROLL
      for (int group = 0; group < Shape::kGroups; ++group) {
        add_group<V, Unpacked, kPanels, kTokensOfTile, ReadyDot<V, Shape::kSigned>>(sums, panels, scales, x, 0, group);
      }
      RUNG_UNROLL
      for (int t = 0; t < kTokensOfTile; ++t) ++x[t];
      RUNG_UNROLL
      for (int p = 0; p < kPanels; ++p) panels[p] += Unpacked::kBytes;
    }
    RUNG_UNROLL
    for (int p = 0; p < kPanels; ++p) {
      const OutputTile tile(task, panel + static_cast<std::size_t>(p), token);
      RUNG_UNROLL
      for (int t = 0; t < kTokensOfTile; ++t) end_piece<V>(tile, static_cast<std::size_t>(t), piece, sums[p][t]);
    }
  }

  static void multiply(const PanelProduct& task, const Columns* columns, const ColumnPiece& piece, std::size_t panel,
                       std::size_t panels, std::size_t token, std::size_t tokens) {
    in_tiles<V::kTileTokens>(token, token + tokens, [&]<int kTokensOfTile>(std::size_t t) {
      if (panels == kPanelsAtOnce) return multiply_tile<V::kTilePanels, kTokensOfTile>(task, columns, piece, panel, t);
      for (std::size_t p = 0; p < panels; ++p) multiply_tile<1, kTokensOfTile>(task, columns + p, piece, panel + p, t);
    });
  }
};

// A way to multiply takes at most kPanelsAtOnce unpacked panels (their Columns) and at most kTokens tokens, a multiple
// of kTokenStep; kPieceBlocks blocks of 32 columns are unpacked at a time. Some kActivationBytes of a prompt's
// activations meet all panels before the next ones do. This one takes dot products of bytes.
//
// Unsigned quants that are too large by something become too large by 32, whatever it was, so that few shapes are left.
template <class V, class Format_>
struct ByDotProducts
    : DotProductTiles<
          V, UnpackedShape<8, (Format_::kOffset > 0 ? 5 : 0), Format_::kGroups, Format_::kHasMins, Format_::kSigned>> {
  using Format = Format_;
  static constexpr std::size_t kPieceBlocks = kBlocksOfPiece<Format>;
  // From so many tokens on it pays to unpack. What takes few instructions to read needs more of them on AMD, where
  // these run beside the products.
  static std::size_t fewest_tokens() {
    constexpr bool kEasy = Format::kColumns == 32 && Format::kBits != 5;
    return (kEasy && is_amd_processor() ? 8 : 3) * V::kTileTokens;
  }
  static void few_tokens(const PanelProduct& task) { panel_product<V, Format>(task); }

  static void make_ready(typename V::Bytes (&eight)[2]) {
    for (typename V::Bytes& quants : eight) {
      if constexpr (Format::kSigned) quants = V::ready8(quants);
      if constexpr (Format::kOffset > 0) quants = V::bytes_add(quants, V::bytes(32 - (1 << Format::kOffset)));
    }
  }
};

// Tokens up to a multiple of kTokenStep meet unpacked panels, the others panels as they are (Way::few_tokens).
template <class V, class Way>
void unpacked_product(const PanelProduct& task) {
  using Format = typename Way::Format;
  static_assert(Way::kPieceBlocks % (Format::kColumns / 32) == 0);
  if (task.tokens < Way::fewest_tokens() || task.columns == 0) return Way::few_tokens(task);
  [[maybe_unused]] const typename Way::Setup setup;
  const std::size_t blocks = task.columns / 32, parts = Format::kColumns / 32,
                    tokens = task.tokens / Way::kTokenStep * Way::kTokenStep;
  const std::size_t pieces = (blocks + Way::kPieceBlocks - 1) / Way::kPieceBlocks;
  const std::size_t each = (blocks / parts + pieces - 1) / pieces * parts;
  const std::size_t at_once =
      tokens_at_once(tokens, blocks * sizeof(ActivationBlock), Way::kActivationBytes, Way::kTokens);
  typename Way::Columns columns[Way::kPanelsAtOnce];
  for (std::size_t first = 0; first < tokens; first += at_once) {
    const std::size_t end = tokens - first < at_once ? tokens : first + at_once;
    for (std::size_t panel = task.first_panel; panel < task.end_panel; panel += Way::kPanelsAtOnce) {
      const std::size_t panels =
          task.end_panel - panel < Way::kPanelsAtOnce ? task.end_panel - panel : Way::kPanelsAtOnce;
      for (std::size_t block = 0; block < blocks; block += each) {
        const ColumnPiece piece = {block, blocks - block < each ? blocks - block : each, blocks};
        for (std::size_t p = 0; p < panels; ++p) {
          unpack<V, Way>(columns[p], task.panels + (panel + p) * task.panel_bytes, piece);
        }
        // The next piece is of these panels or, after their last one, of the next ones.
        const bool last = block + each >= blocks;
        const std::byte* const next = task.panels + (panel + (last ? panels : 0)) * task.panel_bytes +
                                      (last ? 0 : (block + each) / parts * Format::kBytes);
        const std::size_t bytes = (blocks < each ? blocks : each) / parts * Format::kBytes;
        const std::size_t tiles = (end - first + Way::kTokens - 1) / Way::kTokens;
        const std::size_t share = prefetch_share_bytes(bytes, tiles);
        for (std::size_t tile = 0; tile < tiles; ++tile) {
          for (std::size_t p = 0; p < panels; ++p) prefetch_share(next + p * task.panel_bytes, bytes, share, tile);
          const std::size_t token = first + tile * Way::kTokens, left = end - token;
          Way::multiply(task, columns, piece, panel, panels, token, left < Way::kTokens ? left : Way::kTokens);
        }
      }
    }
  }
  PanelProduct rest = task;
  rest.blocks += tokens * blocks;
  rest.out += tokens * task.out_stride;
  rest.tokens -= tokens;
  if (rest.tokens > 0) Way::few_tokens(rest);
}

template <class V>
void use_unpacked_panels(Kernels& k) {
  use_products<V>(
      k, []<class Format, DType>() -> Kernels::Product { return unpacked_product<V, ByDotProducts<V, Format>>; });
}
