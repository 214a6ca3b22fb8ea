// Panels of bf16 × activations of bf16, by tiles.  Milestone M6.
//
// Included after tiles.h. One instruction, tdpbf16ps, takes 16 tokens × 32 columns (A) and 32 columns × 16 rows of
// weights (B) to 16 × 16 sums (C), in f32. B is 16 pairs of columns of 16 rows: a kilobyte of a panel as it lies.
// Nothing is scaled on the way, so the sums stay in their tile until the columns are through. One token is a tile of
// one row: the same sums in the same order.
#pragma once

struct Bf16Tiles {
  static constexpr std::size_t kColumns = 32, kBytes = kColumns * 2;  // of a tile, of a token's part of it
  static constexpr int kC = 0, kA = 4, kB = 6;                        // two panels against two times 16 tokens

  struct alignas(64) Sums {
    float of[kRowsOfTile][16];
  };
  struct Weights {
    std::byte of[16][64];
  };

  static TileShapes shapes(std::size_t tokens) {
    TileShapes all;
    for (int i = 0; i < 4; ++i) all.set(kC + i, tokens, 64);
    for (int i = 0; i < 2; ++i) all.set(kA + i, tokens, kBytes), all.set(kB + i, 16, 64);
    return all;
  }

  // So many tokens of a task, from `token` on, in kTokenTiles tiles.
  template <int kPanels, int kTokenTiles>
  static void multiply(const PanelProduct& task, std::size_t panel, std::size_t token, std::size_t tokens_of_tile) {
    const std::size_t stride = bf16_stride(task.columns), full = task.columns / kColumns,
                      left = stride - full * kColumns;
    const std::uint16_t* x[kTokenTiles];
    const std::byte* w[kPanels];
    for (int t = 0; t < kTokenTiles; ++t) {
      x[t] = task.bf16_rows + (token + static_cast<std::size_t>(t) * tokens_of_tile) * stride;
    }
    for (int p = 0; p < kPanels; ++p) w[p] = task.panels + (panel + static_cast<std::size_t>(p)) * task.panel_bytes;
    clear<kPanels, kTokenTiles>();
    for (std::size_t block = 0; block < full; ++block) {
      if constexpr (kTokenTiles == 1) {
        for (const std::byte* panel_at : w) {
          const std::byte* const ahead = panel_at + kFarBytes / kPanels;
          for (std::size_t line = 0; line < sizeof(Weights); line += 64) __builtin_prefetch(ahead + line, 0, 2);
        }
      }
      load_weights<kPanels>(*reinterpret_cast<const Weights*>(w[0]), *reinterpret_cast<const Weights*>(w[kPanels - 1]));
      load_tokens<kA>(x[0], 2 * stride);
      if constexpr (kTokenTiles == 2) load_tokens<kA + 1>(x[1], 2 * stride);
      add<kPanels, kTokenTiles>();
      for (int t = 0; t < kTokenTiles; ++t) x[t] += kColumns;
      for (int p = 0; p < kPanels; ++p) w[p] += sizeof(Weights);
    }
    if (left > 0) {  // copies, with zeros up to the end of a tile
      alignas(64) Weights tail[2] = {}, tokens[2] = {};
      for (int p = 0; p < kPanels; ++p) copy_columns(tail[p], w[p], task.columns % kColumns);
      for (int t = 0; t < kTokenTiles; ++t) {
        for (std::size_t i = 0; i < tokens_of_tile; ++i) __builtin_memcpy(tokens[t].of[i], x[t] + i * stride, 2 * left);
      }
      load_weights<kPanels>(tail[0], tail[kPanels - 1]);
      load_tile<kA>(tokens[0]);
      if constexpr (kTokenTiles == 2) load_tile<kA + 1>(tokens[1]);
      add<kPanels, kTokenTiles>();
    }
    finish<kPanels, kTokenTiles>(task, panel, token, tokens_of_tile);
  }

  static void product(const PanelProduct& task) {
    constexpr std::size_t kMany = 2 * kRowsOfTile;
    const std::size_t many = task.tokens / kMany * kMany, full = task.tokens / kRowsOfTile * kRowsOfTile;
    // Two panels stay in the second-level cache while the tokens go by.
    for (std::size_t panel = task.first_panel; panel < task.end_panel; panel += 2) {
      const bool two = panel + 2 <= task.end_panel;
      if (full > 0) {
        const ShapedTiles tiles(shapes(kRowsOfTile));
        for (std::size_t t = 0; t < many; t += kMany) {
          (two ? multiply<2, 2> : multiply<1, 2>)(task, panel, t, kRowsOfTile);
        }
        if (full > many) (two ? multiply<2, 1> : multiply<1, 1>)(task, panel, many, kRowsOfTile);
      }
      if (task.tokens > full) {
        const ShapedTiles tiles(shapes(task.tokens - full));
        (two ? multiply<2, 1> : multiply<1, 1>)(task, panel, full, task.tokens - full);
      }
    }
  }

 private:
  template <int kPanels>
  static void load_weights(const Weights& first, const Weights& last) {
    load_tile<kB>(first);
    if constexpr (kPanels == 2) load_tile<kB + 1>(last);
  }

  // C of panel p and token tile t: kC + 2·p + t
  template <int kPanels, int kTokenTiles>
  static void clear() {
    clear_tile<kC>();
    if constexpr (kTokenTiles == 2) clear_tile<kC + 1>();
    if constexpr (kPanels == 2) clear_tile<kC + 2>();
    if constexpr (kPanels == 2 && kTokenTiles == 2) clear_tile<kC + 3>();
  }
  template <int kPanels, int kTokenTiles>
  static void add() {
    multiply_bf16_tiles<kC, kA, kB>();
    if constexpr (kTokenTiles == 2) multiply_bf16_tiles<kC + 1, kA + 1, kB>();
    if constexpr (kPanels == 2) multiply_bf16_tiles<kC + 2, kA, kB + 1>();
    if constexpr (kPanels == 2 && kTokenTiles == 2) multiply_bf16_tiles<kC + 3, kA + 1, kB + 1>();
  }
  template <int kTile>
  static void finish_tile(const PanelProduct& task, std::size_t panel, std::size_t token, std::size_t tokens) {
    Sums sums;
    store_tile<kTile>(sums);
    const OutputTile tile(task, panel, token);
    for (std::size_t t = 0; t < tokens; ++t) tile.finish<V>(t, V::load(sums.of[t]));
  }
  template <int kPanels, int kTokenTiles>
  static void finish(const PanelProduct& task, std::size_t panel, std::size_t token, std::size_t tokens) {
    finish_tile<kC>(task, panel, token, tokens);
    if constexpr (kTokenTiles == 2) finish_tile<kC + 1>(task, panel, token + tokens, tokens);
    if constexpr (kPanels == 2) finish_tile<kC + 2>(task, panel + 1, token, tokens);
    if constexpr (kPanels == 2 && kTokenTiles == 2) finish_tile<kC + 3>(task, panel + 1, token + tokens, tokens);
  }

  // The last columns of a panel, an odd one as a pair with 0.
  static void copy_columns(Weights& to, const std::byte* from, std::size_t columns) {
    __builtin_memcpy(to.of, from, columns / 2 * 64);
    if (columns % 2 == 0) return;
    const __m256i last = _mm256_loadu_si256(reinterpret_cast<const __m256i*>(from + columns / 2 * 64));
    _mm512_store_si512(to.of[columns / 2], _mm512_cvtepu16_epi32(last));
  }
};
