// Many tokens against panels that are unpacked for them once.  Milestone M6.
//
// Included by sets with 32 registers, inside their target region and namespace, after linear.h.
//
// Quants of four bits have to be shifted and masked before they are multiplied, scales of six bits put together. A prompt's tokens all
// meet the same weights: so some columns of a few panels become plain bytes and floats, which stay in the first-level cache while the
// tokens go by. The sums of a tile of tokens stay in registers for these columns, and wait in the output for the next ones.
// What is added to them is what panel_product adds, in the same order.
#pragma once

// 32 columns of a panel.
template <class Format>
struct alignas(64) UnpackedBlock {
  std::int8_t quants[8][64];
  float scales[Format::kGroups][16];
  float mins[Format::kGroups][16];  // where kHasMins
};

// As many columns as leave room in 48 KB for three panels of them and for the activations of 16 tokens: 576, or two blocks of 256.
template <class Format>
inline constexpr std::size_t kUnpackedBlocks = Format::kColumns == 32 ? 18 : 16;

template <class Format>
struct UnpackedColumns {
  UnpackedBlock<Format> blocks[kUnpackedBlocks<Format>];
};

// Blocks of 32 columns [first, first + count) of a row of activations of `all` blocks.
struct ColumnPiece {
  std::size_t first, count, all;
};

// columns ← this piece of the panel at p. ready(quants): as the way to multiply wants them.
template <class V, class Format, class Ready>
void unpack(UnpackedColumns<Format>& columns, const std::byte* p, const ColumnPiece& piece, Ready ready) {
  constexpr std::size_t kParts = Format::kColumns / 32;
  p += piece.first / kParts * Format::kBytes;
  for (std::size_t b = 0; b < piece.count; ++b) {
    UnpackedBlock<Format>& block = columns.blocks[b];
    const int s = static_cast<int>(b % kParts);
    RUNG_UNROLL
    for (int g = 0; g < 8; ++g) V::store_bytes(block.quants[g], ready(Format::quants(p, s, g)));
    RUNG_UNROLL
    for (int group = 0; group < Format::kGroups; ++group) {
      V::store(block.scales[group], Format::scales(p, s, group));
      if constexpr (Format::kHasMins) V::store(block.mins[group], Format::mins(p, s, group));
    }
    if (b % kParts == kParts - 1) p += Format::kBytes;
  }
}

// Where the sums of a token and a panel's rows wait and end.
struct OutputTile {
  float* out;
  std::size_t stride, rows;
  const float* bias;

  OutputTile(const PanelProduct& task, std::size_t panel, std::size_t token)
      : out(task.out + token * task.out_stride + panel * kPanelRows), stride(task.out_stride),
        rows(task.rows - panel * kPanelRows < kPanelRows ? task.rows - panel * kPanelRows : kPanelRows),
        bias(task.bias == nullptr ? nullptr : task.bias + panel * kPanelRows) {}

  // The line is asked for, to be written at the end: a store that waits for memory would hold up those behind it.
  template <class V>
  typename V::Floats begin(std::size_t token, const ColumnPiece& piece) const {
    __builtin_prefetch(out + token * stride, 1);
    return piece.first == 0 ? V::broadcast(0.0f) : V::load_first(out + token * stride, rows);
  }
  template <class V>
  void end(std::size_t token, const ColumnPiece& piece, typename V::Floats sums) const {
    if (bias != nullptr && piece.first + piece.count == piece.all) sums = V::add(sums, V::load_first(bias, rows));
    V::store_first(out + token * stride, sums, rows);
  }
};

// With dot products of bytes: kPanels panels against kTokens tokens.
template <class V, class Format_>
struct ByDotProducts {
  using Format = Format_;
  static constexpr std::size_t kPanelsAtOnce = V::kTilePanels, kTokens = V::kTileTokens;
  // From so many tokens on it pays to unpack.
  static constexpr std::size_t kFewestTokens = 3 * kTokens;

  static typename V::Bytes ready(typename V::Bytes quants) { return Format::kSigned ? V::ready8(quants) : quants; }

  static typename V::Integers add(typename V::Integers sums, typename V::Bytes w, typename V::Bytes x) {
    return Format::kSigned ? V::dot_ready8(sums, w, x) : V::dot(sums, w, x);
  }

  template <int kPanels>
  [[gnu::noinline]] static void multiply(const PanelProduct& task, const UnpackedColumns<Format>* columns, const ColumnPiece& piece,
                                         std::size_t panel, std::size_t token) {
    constexpr int kSteps = 8 / Format::kGroups, kTokensOfTile = static_cast<int>(kTokens);
    const ActivationBlock* x[kTokensOfTile];
    typename V::Floats sums[kPanels][kTokensOfTile];
    RUNG_UNROLL
    for (int t = 0; t < kTokensOfTile; ++t) {
      x[t] = task.blocks + (token + static_cast<std::size_t>(t)) * piece.all + piece.first;
      RUNG_UNROLL
      for (int p = 0; p < kPanels; ++p) {
        sums[p][t] = OutputTile(task, panel + static_cast<std::size_t>(p), token).template begin<V>(static_cast<std::size_t>(t), piece);
      }
    }
    for (std::size_t b = 0; b < piece.count; ++b) {
      RUNG_UNROLL
      for (int group = 0; group < Format::kGroups; ++group) {
        typename V::Integers whole[kPanels][kTokensOfTile];
        RUNG_UNROLL
        for (int t = 0; t < kTokensOfTile; ++t) {
          RUNG_UNROLL
          for (int p = 0; p < kPanels; ++p) whole[p][t] = start<V, Format>(minus_sum_of<Format>(x[t][b], group));
        }
        RUNG_UNROLL
        for (int g = kSteps * group; g < kSteps * (group + 1); ++g) {
          typename V::Bytes w[kPanels];
          RUNG_UNROLL
          for (int p = 0; p < kPanels; ++p) w[p] = V::load_bytes(reinterpret_cast<const std::byte*>(columns[p].blocks[b].quants[g]));
          RUNG_UNROLL
          for (int t = 0; t < kTokensOfTile; ++t) {
            const typename V::Bytes four = V::four_bytes(x[t][b].q + 4 * g);
            RUNG_UNROLL
            for (int p = 0; p < kPanels; ++p) whole[p][t] = add(whole[p][t], w[p], four);
          }
        }
        RUNG_UNROLL
        for (int p = 0; p < kPanels; ++p) {
          const typename V::Floats scales = V::load(columns[p].blocks[b].scales[group]), mins = V::load(columns[p].blocks[b].mins[group]);
          RUNG_UNROLL
          for (int t = 0; t < kTokensOfTile; ++t) sums[p][t] = with_group<V, Format>(sums[p][t], whole[p][t], scales, mins, x[t][b], group);
        }
      }
    }
    RUNG_UNROLL
    for (int t = 0; t < kTokensOfTile; ++t) {
      RUNG_UNROLL
      for (int p = 0; p < kPanels; ++p) {
        OutputTile(task, panel + static_cast<std::size_t>(p), token).template end<V>(static_cast<std::size_t>(t), piece, sums[p][t]);
      }
    }
  }

  static void multiply_all(const PanelProduct& task, const UnpackedColumns<Format>* columns, const ColumnPiece& piece, std::size_t panel,
                           std::size_t panels, std::size_t token) {
    if (panels == kPanelsAtOnce) return multiply<V::kTilePanels>(task, columns, piece, panel, token);
    for (std::size_t p = 0; p < panels; ++p) multiply<1>(task, columns + p, piece, panel + p, token);
  }
};

// Activations of so many tokens at once that they stay in the second-level cache while the panels go by.
inline constexpr std::size_t kActivationBytes = std::size_t{1} << 20;

// Tokens that fill tiles go against unpacked panels, the others as without them.
template <class V, class Way>
void unpacked_product(const PanelProduct& task) {
  using Format = typename Way::Format;
  const std::size_t blocks = task.columns / 32, parts = Format::kColumns / 32;
  const std::size_t tokens = task.tokens < Way::kFewestTokens || blocks == 0 ? 0 : task.tokens / Way::kTokens * Way::kTokens;
  const std::size_t pieces = (blocks + kUnpackedBlocks<Format> - 1) / kUnpackedBlocks<Format>;
  const std::size_t each = pieces == 0 ? 0 : (blocks / parts + pieces - 1) / pieces * parts;
  const std::size_t fit = blocks == 0 ? 0 : kActivationBytes / (blocks * sizeof(ActivationBlock)) / Way::kTokens * Way::kTokens;
  const std::size_t at_once = fit < Way::kTokens ? Way::kTokens : fit;
  UnpackedColumns<Format> columns[Way::kPanelsAtOnce];
  for (std::size_t first = 0; first < tokens; first += at_once) {
    const std::size_t end = tokens - first < at_once ? tokens : first + at_once;
    for (std::size_t panel = task.first_panel; panel < task.end_panel; panel += Way::kPanelsAtOnce) {
      const std::size_t panels = task.end_panel - panel < Way::kPanelsAtOnce ? task.end_panel - panel : Way::kPanelsAtOnce;
      for (std::size_t block = 0; block < blocks; block += each) {
        const ColumnPiece piece = {block, blocks - block < each ? blocks - block : each, blocks};
        for (std::size_t p = 0; p < panels; ++p) unpack<V>(columns[p], task.panels + (panel + p) * task.panel_bytes, piece, Way::ready);
        for (std::size_t t = first; t < end; t += Way::kTokens) Way::multiply_all(task, columns, piece, panel, panels, t);
      }
    }
  }
  PanelProduct rest = task;
  rest.blocks += tokens * blocks;
  rest.out += tokens * task.out_stride;
  rest.tokens -= tokens;
  if (rest.tokens > 0) panel_product<V, Format>(rest);
}

template <class V>
void use_unpacked_panels(Kernels& k) {
  use_products<V>(k, []<class Format>() -> Kernels::Product { return unpacked_product<V, ByDotProducts<V, Format>>; });
}
