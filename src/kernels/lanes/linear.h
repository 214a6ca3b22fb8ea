// Panels × activations → outputs.  Milestone M6.
//
// Included by each instruction set, inside its target region and namespace, after lanes.h and formats.h.
//
// A linear layer is out[t][r] = Σ_i x[t][i]·w[r][i]. Both sides come in blocks of 32 columns, small integers that share
// a scale: x[t][i] = a·p[i], w[r][i] = s·(q[i] − offset) + m. So a block's part of the sum is
//
//   Σ_i x·w  =  a·s·(Σ_i p[i]·q[i] − offset·Σ_i p[i])  +  a·m·Σ_i p[i]
//
// integers inside the brackets, and two multiplications of floats for 32 columns; Σ p[i] depends on the activations
// alone and comes with them (ActivationBlock: minus_sum, sum).
//
// One tile is kPanels panels (16 rows each, a row a lane) against kTokens tokens, and all its sums stay in registers
// while the columns go by:
//
//                  x of token 0   x of token 1   …             for each 32 columns:
//   panel p        sums[p][0]     sums[p][1]     …             whole[p][t] = Σ_i q·p − offset·Σ p    exact in any order
//   panel p + 1    sums[p+1][0]   sums[p+1][1]   …             sums[p][t]  = fma(whole, s·a, sums)   left to right
//
// Each load of weights serves all tokens of the tile, each load of activations all its panels: the larger the tile, the
// more products a load feeds, until registers run out (V::kTilePanels, V::kTileTokens). A decode step is the same tile
// with one token. So a row's bits depend on the row alone: not on its company, the chunk or the thread.
//
// Order of reading: dot_group (the integers), with_group (the floats), quantised_tile (the columns go by),
// panel_product (tiles cover all tokens and panels). What memory needs, prefetching, is measured in bench/README.md.
#pragma once

#include "kernels/lanes/dots.h"
#include "kernels/lanes/formats.h"

// -Σq of all 32 columns, or of a group of 16.
template <class Format>
inline std::int32_t minus_sum_of(const ActivationBlock& x, int group) {
  if constexpr (Format::kGroups == 1) return x.minus_sum;
  return group == 0 ? x.minus_first : x.minus_sum - x.minus_first;
}

// What the sums start from: what takes an unsigned quant's offset back.
template <class V, class Format>
typename V::Integers start(std::int32_t minus_sum) {
  if constexpr (Format::kSigned) {
    return V::start8(minus_sum);
  } else if constexpr (Format::kOffset > 0) {
    return V::integers(minus_sum * (1 << Format::kOffset));
  } else {
    return V::integers(0);
  }
}

// What a weight's min is multiplied by: the sum of a group's activations.
template <class Format>
inline float sum_of(const ActivationBlock& x, int group) {
  return Format::kGroups == 1 ? x.sum : x.scale * static_cast<float>(-minus_sum_of<Format>(x, group));
}

// One group's contribution to the sums of 16 lanes: the same two lines on every path, so that the bits are.
template <class V, class Format, class Floats = typename V::Floats>
inline Floats with_group(Floats sums, typename V::Integers whole, Floats scales, Floats mins, Floats x_scale,
                         Floats x_sum) {
  sums = V::fma(V::to_floats(whole), V::mul(scales, x_scale), sums);
  if constexpr (Format::kHasMins) sums = V::fma(mins, x_sum, sums);
  return sums;
}
template <class V, class Format, class Floats = typename V::Floats>
inline Floats with_group(Floats sums, typename V::Integers whole, Floats scales, Floats mins, const ActivationBlock& x,
                         int group) {
  const float x_sum = Format::kHasMins ? sum_of<Format>(x, group) : 0.0f;
  return with_group<V, Format>(sums, whole, scales, mins, V::broadcast(x.scale), V::broadcast(x_sum));
}

template <class V, class Format>
inline typename V::Floats mins_of(const typename Format::Scales& block, int s, int group) {
  if constexpr (Format::kHasMins) {
    return block.min(s, group);
  } else {
    return V::broadcast(0.0f);
  }
}

// whole[p][t] = Σ_i (quants[p][i] - offset) · x[t].q[i] over one group (all 32 columns, or 16 of them) of one block.
template <class V, class Format, int kPanels, int kTokens, class One>
inline void dot_group(typename V::Integers (&whole)[kPanels][kTokens], const std::byte* const (&panels)[kPanels],
                      const ActivationBlock* const (&x)[kTokens], int s, int group) {
  constexpr int kSteps = 8 / Format::kGroups, kChained = chained_steps<One, Format>();
  typename One::Chain chain[kPanels][kTokens];
  RUNG_UNROLL
  for (int t = 0; t < kTokens; ++t) {
    const std::int32_t minus_sum = minus_sum_of<Format>(*x[t], group);
    RUNG_UNROLL
    for (int p = 0; p < kPanels; ++p) whole[p][t] = start<V, Format>(minus_sum);
  }
  RUNG_UNROLL
  for (int g = 0; g < kSteps; ++g) {
    typename V::Bytes w[kPanels];
    RUNG_UNROLL
    for (int p = 0; p < kPanels; ++p) w[p] = Format::quants(panels[p], s, kSteps * group + g);
    RUNG_UNROLL
    for (int t = 0; t < kTokens; ++t) {
      const typename V::Bytes four = V::four_bytes(x[t]->q + 4 * (kSteps * group + g));
      RUNG_UNROLL
      for (int p = 0; p < kPanels; ++p) {
        if (g % kChained == 0) chain[p][t] = One::begin(whole[p][t]);
        chain[p][t] = One::add(chain[p][t], w[p], four);
        if (g % kChained == kChained - 1) whole[p][t] = One::end(whole[p][t], chain[p][t]);
      }
    }
  }
}

// One group of one block into the sums.
template <class V, class Format, int kPanels, int kTokens, class One = typename V::template Dot<Format::kSigned>>
inline void add_group(typename V::Floats (&sums)[kPanels][kTokens], const std::byte* const (&panels)[kPanels],
                      const typename Format::Scales (&of_panels)[kPanels], const ActivationBlock* const (&x)[kTokens],
                      int s, int group) {
  typename V::Integers whole[kPanels][kTokens];
  dot_group<V, Format, kPanels, kTokens, One>(whole, panels, x, s, group);
  RUNG_UNROLL
  for (int p = 0; p < kPanels; ++p) {
    const typename V::Floats scales = of_panels[p].of(s, group), mins = mins_of<V, Format>(of_panels[p], s, group);
    RUNG_UNROLL
    for (int t = 0; t < kTokens; ++t) {
      sums[p][t] = with_group<V, Format>(sums[p][t], whole[p][t], scales, mins, *x[t], group);
    }
  }
}

// Where the outputs of a token and a panel's rows go: the last panel may have fewer than 16. `t` counts from that token
// on.
struct OutputTile {
  float* out;
  std::size_t stride, rows;
  const float* bias;

  OutputTile(const PanelProduct& task, std::size_t panel, std::size_t token)
      : out(task.out + token * task.out_stride + panel * kPanelRows),
        stride(task.out_stride),
        rows(task.rows - panel * kPanelRows < kPanelRows ? task.rows - panel * kPanelRows : kPanelRows),
        bias(task.bias == nullptr ? nullptr : task.bias + panel * kPanelRows) {}

  template <class V>
  typename V::Floats load(std::size_t t) const {
    return V::load_first(out + t * stride, rows);
  }
  template <class V>
  void store(std::size_t t, typename V::Floats sums) const {
    V::store_first(out + t * stride, sums, rows);
  }
  template <class V>
  void finish(std::size_t t, typename V::Floats sums) const {
    store<V>(t, bias == nullptr ? sums : V::add(sums, V::load_first(bias, rows)));
  }
};

// `count`: how many tokens there are from `token` on, where a tile may have one too few (in_tiles).
template <class V, int kPanels, int kTokens>
inline void store_tile(const typename V::Floats (&sums)[kPanels][kTokens], const PanelProduct& task, std::size_t panel,
                       std::size_t token, std::size_t count = kTokens) {
  for (int p = 0; p < kPanels; ++p) {
    const OutputTile tile(task, panel + static_cast<std::size_t>(p), token);
    RUNG_UNROLL
    for (int t = 0; t < kTokens; ++t) {
      const auto i = static_cast<std::size_t>(t);
      if (kTokens == 1 || i < count) tile.finish<V>(i, sums[p][t]);
    }
  }
}

// Memory answers after some 100 ns and more. What a decode step needs is asked for twice: far ahead, into the
// second-level cache, which can wait for more lines at a time than the first; and again when it is near, into the
// first, so that nothing waits for the second.
struct Ahead {
  std::size_t far_bytes;   // added to an address, as near_bytes is
  std::size_t near_bytes;  // 0: the line at hand, which comes anyway; to ask whether to ask takes as long
};
inline constexpr std::size_t kFarBytes = 8192;

// Blocks of 256 columns are not read in the order in which they lie: what is near has to be nearer. AMD's own
// prefetching keeps up with one token, and only has to be led; several tokens take long enough for the second cache.
template <class V, class Format, int kTokens>
Ahead prefetch_ahead() {
  constexpr bool kOf256 = Format::kColumns == 256;
  if (!is_amd_processor()) return {kFarBytes, kOf256 ? std::size_t{1024} : 1536};
  if (V::kFewRegisters) return {kOf256 ? std::size_t{3072} : 1536, 0};
  if (kTokens > 1) return {3072, 512};
  return {kOf256 ? std::size_t{1024} : 1536, 0};
}

inline void prefetch_line(const std::byte* p, const Ahead& ahead) {
  const std::uintptr_t line = reinterpret_cast<std::uintptr_t>(p);
  __builtin_prefetch(reinterpret_cast<const void*>(line + ahead.far_bytes), 0, 2);
  __builtin_prefetch(reinterpret_cast<const void*>(line + ahead.near_bytes), 0, 3);
}

// A format of quants (formats.h), not a plain type (below).
template <class Format>
inline constexpr bool kIsQuantised = requires { typename Format::Scales; };

// So much of a panel is asked for at a time: 32 columns of quants, four lines of the plain types.
template <class Format>
inline constexpr std::size_t kPartBytes = kIsQuantised<Format> ? Format::kBytes * 32 / Format::kColumns : 256;
template <class Format>
inline constexpr std::size_t kPartColumns = kPartBytes<Format> * Format::kColumns / Format::kBytes;

// The lines of part s of a block, not all of the block's at once: what is read meanwhile would have to wait behind
// them.
template <class Format>
inline void prefetch_part(const std::byte* panel, const Ahead& ahead, int s) {
  const std::byte* const part = panel + static_cast<std::size_t>(s) * kPartBytes<Format>;
  RUNG_UNROLL
  for (std::size_t line = 0; line < kPartBytes<Format>; line += 64) prefetch_line(part + line, ahead);
}

// What will be read next is asked for in parts, one a tile, so that all of it is there when its turn comes.
inline std::size_t prefetch_share_bytes(std::size_t bytes, std::size_t shares) {
  return ((bytes + 63) / 64 + shares - 1) / shares * 64;
}
inline void prefetch_share(const std::byte* from, std::size_t bytes, std::size_t share_bytes, std::size_t share) {
  const std::size_t begin = share * share_bytes, end = begin + share_bytes < bytes ? begin + share_bytes : bytes;
  for (std::size_t at = begin; at < end; at += 64) __builtin_prefetch(from + at, 0, 2);
}

// Activations of 48 tokens stay in the second-level cache (48 tokens of 1536 columns: 110 KB) while the panels go by, a
// few panels in the first.
inline constexpr std::size_t kTokensAtOnce = 48;

struct TokenRange {
  std::size_t first, end;
};

// The panels that come after a tile's: each tile asks for its tokens' share of the lines, part by part, so that memory
// is busy for as long as the tokens take, and the next tiles find everything in the second-level cache. A single token
// asks for nothing: it takes no longer than memory; the tile before it asks for its share.
template <class Format, int kPanels, int kTokens>
class NextPanels {
 public:
  NextPanels(const PanelProduct& task, std::size_t token, const TokenRange& all)
      : distance_(kPanels * task.panel_bytes), begin_(share(token, all)), end_(share(token + kTokens, all)) {}

  // The part that lies so many bytes from `panels` on.
  void ask(const std::byte* const (&panels)[kPanels], std::size_t part) const {
    RUNG_UNROLL
    for (int p = 0; p < kPanels; ++p) {
      // where nothing may be, after the last
      const std::uintptr_t next = reinterpret_cast<std::uintptr_t>(panels[p]) + distance_ + part;
      for (std::size_t line = begin_; line < end_; line += 64) {
        __builtin_prefetch(reinterpret_cast<const void*>(next + line), 0, 2);
      }
    }
  }

 private:
  static std::size_t share(std::size_t token, const TokenRange& all) {
    const std::size_t before = (token + 1 < all.end ? token : all.end) - all.first;
    return (kPartBytes<Format> * before / (all.end - all.first) + 63) / 64 * 64;
  }

  std::size_t distance_, begin_, end_;  // bytes: from a panel to the next one's; of each part
};
template <class Format, int kPanels>
class NextPanels<Format, kPanels, 1> {
 public:
  NextPanels(const PanelProduct&, std::size_t, const TokenRange&) {}
  void ask(const std::byte* const (&)[kPanels], std::size_t) const {}
};

template <class V, class Format, int kPanels, int kTokens>
void quantised_tile(const PanelProduct& task, std::size_t panel, std::size_t token, const TokenRange& all) {
  constexpr int kParts = Format::kColumns / 32;
  // Of one token four parts are unrolled: the compiler then knows where their bits lie, and needs fewer instructions.
  // With all eight, loads would jump about in the panel, and memory would be slower to follow; where registers are few
  // the loop is as fast.
  constexpr int kUnrolled = kTokens == 1 && kParts % 4 == 0 && !V::kFewRegisters ? 4 : 1;
  const std::size_t blocks = task.columns / 32;
  const Ahead ahead = prefetch_ahead<V, Format, kTokens>();
  // The other tiles find in the caches what the first asked for; a single token is nearly always alone, and has no time
  // for the question.
  const bool is_first = kTokens == 1 || token == all.first;
  const NextPanels<Format, kPanels, kTokens> next(task, token, all);
  const std::byte* panels[kPanels];
  typename Format::Scales scales[kPanels];
  const ActivationBlock* x[kTokens];
  typename V::Floats sums[kPanels][kTokens];
  RUNG_UNROLL
  for (int p = 0; p < kPanels; ++p) panels[p] = task.panels + (panel + static_cast<std::size_t>(p)) * task.panel_bytes;
  RUNG_UNROLL
  for (int t = 0; t < kTokens; ++t) {
    const std::size_t i = token + static_cast<std::size_t>(t);
    x[t] = task.blocks + (kTokens == 1 || i < all.end ? i : all.end - 1) * blocks;
    RUNG_UNROLL
    for (int p = 0; p < kPanels; ++p) sums[p][t] = V::broadcast(0.0f);
  }
  for (std::size_t b = 0; b < blocks; b += kParts) {
    RUNG_UNROLL
    for (int p = 0; p < kPanels; ++p) scales[p].read(panels[p]);
    for (int first = 0; first < kParts; first += kUnrolled) {
      RUNG_UNROLL
      for (int s = first; s < first + kUnrolled; ++s) {
        if (is_first) {
          RUNG_UNROLL
          for (int p = 0; p < kPanels; ++p) prefetch_part<Format>(panels[p], ahead, s);
        }
        next.ask(panels, static_cast<std::size_t>(s) * kPartBytes<Format>);
        RUNG_UNROLL
        for (int group = 0; group < Format::kGroups; ++group) {
          add_group<V, Format, kPanels, kTokens>(sums, panels, scales, x, s, group);
        }
        RUNG_UNROLL
        for (int t = 0; t < kTokens; ++t) ++x[t];
      }
    }
    RUNG_UNROLL
    for (int p = 0; p < kPanels; ++p) panels[p] += Format::kBytes;
  }
  store_tile<V, kPanels, kTokens>(sums, task, panel, token, all.end - token);
}

// A prompt's activations that stay in a second-level cache of 2 MB while the panels go by.
inline constexpr std::size_t kPromptActivationBytes = std::size_t{1} << 20;

// How many of the tokens go against all panels before the others do, a multiple of `tile`: about equal parts, of some
// `most_bytes` of activations or less.
inline std::size_t tokens_at_once(std::size_t tokens, std::size_t bytes_each, std::size_t most_bytes,
                                  std::size_t tile) {
  const std::size_t passes = tokens * bytes_each / most_bytes + 1;
  return ((tokens + passes - 1) / passes + tile - 1) / tile * tile;
}

// The plain types: out = Σ_i w[i]·x[i] in f32, a column at a time. A load of kBytes has kColumns columns.
template <class V>
struct F32 {
  static constexpr std::size_t kBytes = 64, kColumns = 1;
  static typename V::Floats column(const std::byte* p, std::size_t = 0) {
    return V::load(reinterpret_cast<const float*>(p));
  }
};
template <class V>
struct F16 {
  static constexpr std::size_t kBytes = 32, kColumns = 1;
  static typename V::Floats column(const std::byte* p, std::size_t = 0) { return V::load_f16(p); }
};
template <class V>
struct BF16 {
  static constexpr std::size_t kBytes = 64, kColumns = 2;
  static typename V::Floats column(const std::byte* p, std::size_t c) {
    return c == 0 ? V::first_bf16(V::load_bytes(p)) : V::second_bf16(V::load_bytes(p));
  }
  static typename V::Floats last_column(const std::byte* p) { return V::load_bf16(p); }  // of an odd number
};

// x: the column's value of the first token, the others `stride` apart.
template <class V, int kPanels, int kTokens>
inline void add_column(typename V::Floats (&sums)[kPanels][kTokens], const typename V::Floats (&w)[kPanels],
                       const float* x, std::size_t stride) {
  RUNG_UNROLL
  for (int t = 0; t < kTokens; ++t) {
    const auto i = static_cast<std::size_t>(t);
    // That is t·stride, so written that an address is kept for four tokens.
    const typename V::Floats value = V::broadcast(x[i / 4 * (4 * stride) + i % 4 * stride]);
    RUNG_UNROLL
    for (int p = 0; p < kPanels; ++p) sums[p][t] = V::fma(w[p], value, sums[p][t]);
  }
}

template <class V, class Format, int kPanels, int kTokens>
void plain_tile(const PanelProduct& task, std::size_t panel, std::size_t token, const TokenRange& all) {
  const std::byte* panels[kPanels];
  typename V::Floats sums[kPanels][kTokens], w[kPanels];
  const float* x = task.floats + token * task.columns;
  constexpr bool kWaitsForMemory = kTokens <= 4;
  const Ahead ahead = kWaitsForMemory ? prefetch_ahead<V, Format, kTokens>() : Ahead{};
  const NextPanels<Format, kPanels, kTokens> next(task, token, all);
  RUNG_UNROLL
  for (int p = 0; p < kPanels; ++p) {
    panels[p] = task.panels + (panel + static_cast<std::size_t>(p)) * task.panel_bytes;
    RUNG_UNROLL
    for (int t = 0; t < kTokens; ++t) sums[p][t] = V::broadcast(0.0f);
  }
  for (std::size_t i = 0; i + Format::kColumns <= task.columns; i += Format::kColumns) {
    if (i % kPartColumns<Format> == 0) next.ask(panels, 0);
    RUNG_UNROLL
    for (std::size_t c = 0; c < Format::kColumns; ++c) {
      RUNG_UNROLL
      for (int p = 0; p < kPanels; ++p) w[p] = Format::column(panels[p], c);
      add_column<V, kPanels, kTokens>(sums, w, x++, task.columns);
    }
    RUNG_UNROLL
    for (int p = 0; p < kPanels; ++p) {
      if (kWaitsForMemory) prefetch_line(panels[p], ahead);
      panels[p] += Format::kBytes;
    }
  }
  if constexpr (Format::kColumns == 2) {
    if (task.columns % 2 == 1) {
      RUNG_UNROLL
      for (int p = 0; p < kPanels; ++p) w[p] = Format::last_column(panels[p]);
      add_column<V, kPanels, kTokens>(sums, w, x, task.columns);
    }
  }
  store_tile<V, kPanels, kTokens>(sums, task, panel, token);
}

template <class V, class Format, int kPanels, int kTokens>
inline void tile(const PanelProduct& task, std::size_t panel, std::size_t token, const TokenRange& all) {
  if constexpr (kIsQuantised<Format>) {
    quantised_tile<V, Format, kPanels, kTokens>(task, panel, token, all);
  } else {
    plain_tile<V, Format, kPanels, kTokens>(task, panel, token, all);
  }
}

// tile<n>(t): n tokens from t on, for all of [token, end), n as large as the registers allow. A tile may have so many
// tokens too few: `kMissing`, 0 or 1.
template <int kTokens, std::size_t kMissing = 0, class Tile>
inline void in_tiles(std::size_t token, std::size_t end, Tile tile) {
  for (; token + kTokens <= end + (kTokens > 2 ? kMissing : 0); token += kTokens) {
    tile.template operator()<kTokens>(token);
  }
  if constexpr (kTokens > 4) {
    for (; token + 4 <= end + kMissing; token += 4) tile.template operator()<4>(token);
  }
  if constexpr (kTokens > 2) {
    for (; token + 2 <= end; token += 2) tile.template operator()<2>(token);
  }
  for (; token < end; ++token) tile.template operator()<1>(token);
}

// These tokens against one step of panels.
template <class V, class Format, int kPanels>
inline void tokens_of(const PanelProduct& task, std::size_t panel, const TokenRange& all) {
  constexpr std::size_t kMissing = kIsQuantised<Format> ? 1 : 0;
  in_tiles<kIsQuantised<Format> ? V::kTileTokens : V::kPlainTokens, kMissing>(
      all.first, all.end,
      [&]<int kTokens>(std::size_t token) { tile<V, Format, kPanels, kTokens>(task, panel, token, all); });
}

template <class V, class Format>
  requires WeightFormat<Format, V> || PlainFormat<Format, V>
void panel_product(const PanelProduct& task) {
  for (std::size_t token = 0; token < task.tokens; token += kTokensAtOnce) {
    const TokenRange all{token, token + kTokensAtOnce < task.tokens ? token + kTokensAtOnce : task.tokens};
    std::size_t panel = task.first_panel;
    if (all.end - all.first > 1 || !kIsQuantised<Format>) {
      for (; panel + V::kTilePanels <= task.end_panel; panel += V::kTilePanels) {
        tokens_of<V, Format, V::kTilePanels>(task, panel, all);
      }
    }
    for (; panel < task.end_panel; ++panel) tokens_of<V, Format, 1>(task, panel, all);
  }
}

template <LaneSet V>
void use_plain_panels(Kernels& k) {
  k.product(DType::f32) = panel_product<V, F32<V>>;
  k.product(DType::f16) = panel_product<V, F16<V>>;
  k.product(DType::bf16) = panel_product<V, BF16<V>>;
}
template <LaneSet V>
void use_panels(Kernels& k) {
  use_plain_panels<V>(k);
  use_products<V>(k, []<class Format, DType>() -> Kernels::Product { return panel_product<V, Format>; });
}
