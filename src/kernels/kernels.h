// A table of plain functions per instruction set, chosen once at start.  Milestones M2 (scalar), M6 (the fast ones).
//
// Kernels work on bare pointers: shapes were checked at the entry of the operation. Each sums in one fixed order that
// depends on n alone, so that a row's result is the same bits whatever batch, chunk or thread it is computed in.
#pragma once

#include <array>
#include <cstddef>
#include <cstdint>
#include <span>
#include <string_view>

#include "base/half.h"
#include "kernels/panels.h"
#include "tensor/dtype.h"

namespace rung {

// out[t][r] = Σ_i x[t,i]·w[r,i] (+ bias[r]) for the rows of panels [first_panel, end_panel).
struct PanelProduct {
  const std::byte* panels;  // of all rows
  std::size_t panel_bytes;
  std::size_t rows, columns;
  const float* bias;              // [rows], or nullptr
  const ActivationBlock* blocks;  // [tokens, columns / 32], where takes_blocks(type)
  // [tokens, bf16_stride(columns)] of bf16, where the type is bf16 and the set rounds to it
  const std::uint16_t* bf16_rows;
  const float* floats;  // [tokens, columns], otherwise
  std::size_t tokens;
  float* out;  // [tokens, out_stride]
  std::size_t out_stride;
  std::size_t first_panel, end_panel;
};

// A row of activations in bf16 has an even length; what is added is 0.
inline std::size_t bf16_stride(std::size_t columns) { return columns + columns % 2; }

// Keys and values lie in pieces of 64; a block of attention, whose scores one softmax weighs, is up to four of them.
inline constexpr std::size_t kPieceKeys = 64;
inline constexpr std::size_t kAttentionKeys = 256;

// What a query takes of a block of keys: max, sum, then, from kPartialHead on, its head_dim values, and room up to a
// multiple of 16.
inline constexpr std::size_t kPartialHead = 16;
inline std::size_t partial_floats(std::size_t head_dim) { return kPartialHead + (head_dim + 15) / 16 * 16; }

// A block of keys and values, and queries that look at it.
struct AttentionBlock {
  struct Seen {
    std::size_t first, end;  // of the block's keys, at least one
  };
  struct Piece {
    const std::byte* keys;    // [head_dim, 64]
    const std::byte* values;  // [64, head_dim], readable for 64 bytes past the end
    const f16* key_scales;    // q8_0 alone: [⌈head_dim / 32⌉, 64]
    const f16* value_scales;
  };
  Piece pieces[kAttentionKeys / kPieceKeys];  // those that a query sees
  const std::byte* next;  // the keys that come after this block, to be fetched meanwhile; or nullptr
  DType type;             // f32, f16, or q8_0: bytes, times the scale of each 32 dimensions of a key
  std::size_t head_dim;
  float scale;
  const float* queries;  // [query_count, query_stride]
  std::size_t query_stride;
  const Seen* seen;  // [query_count]
  std::size_t query_count;
  float* partials;  // [query_count, partial_stride]
  std::size_t partial_stride;
};

struct Kernels {
  std::string_view name;

  // Σ_i a[i]·b[i]
  float (*dot)(const float* a, const float* b, std::size_t n);
  // y[i] += a·x[i]
  void (*add_scaled)(float* y, float a, const float* x, std::size_t n);
  // y[i] *= a
  void (*scale)(float* y, float a, std::size_t n);
  // out[i] = x[i] / √(mean(x²) + epsilon) · weight[i].  out may be x.  (Zhang & Sennrich 2019, arXiv:1910.07467)
  void (*rms_norm)(float* out, const float* x, const float* weight, std::size_t n, float epsilon);
  // (x[i], x[i+half]) turned by the angle with this cosine and sine.  (Su et al. 2021, arXiv:2104.09864; half-split
  // pairing of GPT-NeoX)
  void (*rotate)(float* x, const float* cosine, const float* sine, std::size_t half);
  // out[i] = silu(gate[i])·up[i], silu(g) = g / (1 + e^-g).  out may be gate.  (Shazeer 2020, arXiv:2002.05202)
  void (*silu_gate)(float* out, const float* gate, const float* up, std::size_t n);
  // out[i] = gelu(gate[i])·up[i], gelu(g) = g/2·(1 + tanh(√(2/π)·(g + 0.044715·g³))).  out may be gate.
  void (*gelu_gate)(float* out, const float* gate, const float* up, std::size_t n);
  // x[i] = e^(x[i] - m) with m = max x; returns m and the sum of the new values.  n ≥ 1.
  struct MaxAndSum {
    float max;
    float sum;
  };
  MaxAndSum (*exponentiate)(float* x, std::size_t n);
  // x[i] += y[i]
  void (*add)(float* x, const float* y, std::size_t n);

  // The fast backend's own. n is a multiple of 32.
  void (*quantize)(ActivationBlock* out, const float* x, std::size_t n);
  void (*round_to_f16)(std::uint16_t* out, const float* x, std::size_t n);
  // x[i] ≈ scales[i / 32]·out[i], a scale: the largest magnitude of its 32 / 127, rounded to f16. n may be anything:
  // the last few have a scale, too.
  void (*round_to_q8)(std::int8_t* out, std::uint16_t* scales, const float* x, std::size_t n);
  // out [bf16_stride(n)], to the nearest, denormals to 0. nullptr: products of bf16 take floats.
  void (*round_to_bf16)(std::uint16_t* out, const float* x, std::size_t n);
  using Product = void (*)(const PanelProduct&);
  std::array<Product, kDTypes.size()> products;  // by type
  Product& product(DType type) { return products[static_cast<std::size_t>(type)]; }
  Product product(DType type) const { return products[static_cast<std::size_t>(type)]; }
  void (*attend)(const AttentionBlock& block);
  // Of `count` queries, `stride` floats apart: total ← total and the partial result of the next block.
  void (*combine)(float* totals, const float* partials, std::size_t count, std::size_t stride, std::size_t head_dim);

  // What one thread can at most do with these instructions: measure/ceilings.h measures it.
  struct Peaks {
    // Reads `bytes` from p on, as 1, 2 or 4 streams side by side, and asks for what lies `near` bytes further into the
    // first-level cache, `far` into the second (0: for nothing).
    void (*read)(const std::byte* p, std::size_t bytes, std::size_t streams, std::size_t near, std::size_t far);
    // So many rounds of products and sums; gives how many operations they are (a product and its addition: two).
    std::uint64_t (*int8)(std::size_t rounds);
    std::uint64_t (*f32)(std::size_t rounds);
    std::uint64_t (*bf16)(std::size_t rounds);  // nullptr: bf16 is multiplied as f32
  } peaks;
};

// Whether AMD made the processor: what is faster there and slower on Intel's (bench/README.md) asks.
bool is_amd_processor();

// The sets that this build has and this machine can run, best first. `scalar` is always the last.
std::span<const Kernels* const> supported_kernels();

// The best supported set, or the one that RUNG_KERNELS names. Throws Error for a name that is not among the supported.
const Kernels& chosen_kernels();

}  // namespace rung
