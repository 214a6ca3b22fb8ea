// What the host tells a kernel besides where its tensors lie: one header, read by the C++ and by the Metal compiler, so
// that the two can never disagree about an offset or a size.  Milestone M7.
#ifndef RUNG_KERNELS_METAL_ARGS_H
#define RUNG_KERNELS_METAL_ARGS_H

#ifdef __METAL_VERSION__
#define RUNG_GPU_CONSTANT constant constexpr uint  // a constant needs an address space there
#else
#include <cstdint>
#define RUNG_GPU_CONSTANT inline constexpr std::uint32_t
#endif

namespace rung {
namespace gpu {

RUNG_GPU_CONSTANT kSimd = 32;  // threads that run as one

// A linear layer's sum over k is dealt out to so many runs; a threadgroup has as many SIMD groups.
RUNG_GPU_CONSTANT kRuns = 8;

// "few" tokens: tiles of 8 rows of w by 8 tokens. "many": of 16 rows by 32 tokens, so that a weight that was unpacked
// once serves all 32. A single token: four rows a SIMD group, for which x is loaded once; of gate and up two each.
RUNG_GPU_CONSTANT kSingleRows = 32;
RUNG_GPU_CONSTANT kFewRows = 8;
RUNG_GPU_CONSTANT kFewTokens = 8;
RUNG_GPU_CONSTANT kManyRows = 16;
RUNG_GPU_CONSTANT kManyTokens = 32;

RUNG_GPU_CONSTANT kMostTasks = 3;  // linear layers of one x in one dispatch: q, k and v

// So many tokens at most have their norm made by the linear layers that follow it, in each threadgroup anew: what is
// read again for that comes from the cache, but it grows with the tokens and with the rows of w, and what it saves is
// one dispatch. Layers have fewer rows than this; a head over a vocabulary has more, and takes long by itself.
RUNG_GPU_CONSTANT kNormTokens = 2;
RUNG_GPU_CONSTANT kMostNormRows = 30000;

RUNG_GPU_CONSTANT kElementThreads = 256;  // of a threadgroup that goes through values one by one
RUNG_GPU_CONSTANT kNormSimds = 8;         // SIMD groups at most, for a row

// Threads that sum a row's squares: as many as its length is worth, in whole SIMD groups. Whoever makes a norm takes so
// many, since the order of the sum depends on it.
inline uint32_t norm_threads(uint32_t columns) {
  const uint32_t simds = (columns + 4 * kSimd - 1) / (4 * kSimd);
  return kSimd * (simds < kNormSimds ? simds : kNormSimds);
}

RUNG_GPU_CONSTANT kBlock = 64;  // positions: kKvBlock
RUNG_GPU_CONSTANT kTile = 8;    // rows of a tile of attention: the side of a matrix that the hardware multiplies

// How a matrix is stored: DType, by its number (ops/metal/ checks that they are the same).
enum Format : uint32_t {
  kF32,
  kF16,
  kBf16,
  kQ4_0,
  kQ4_1,
  kQ5_0,
  kQ5_1,
  kQ8_0,
  kQ2_K,
  kQ3_K,
  kQ4_K,
  kQ5_K,
  kQ6_K,
  kIq4Nl,
  kIq4Xs,
  kIq3S,
  kIq3Xxs,
  kIq2S,
  kIq2Xs,
  kIq2Xxs,
  kIq1S,
  kIq1M,
  kTq1_0,
  kTq2_0,
  kMxfp4,
};

// The numbers of the function constants: what is fixed when a kernel's pipeline is made, so that the compiler drops
// what the format does not need.
#define RUNG_FORMAT_CONSTANT 0  // of matrices: format_constant
#define RUNG_CACHE_CONSTANT 1   // of keys and values: kF32, kF16 or kQ8_0

// Two formats at most, since files often have v in another one than q and k; whether x is to go through a norm; whether
// it is a single token; and, of plain types, whether each row begins at a multiple of 16 bytes (wide).
inline uint32_t format_constant(uint32_t format, uint32_t other_format, bool normed, bool single, bool wide) {
  return format | other_format << 8 | (normed ? 1u << 16 : 0u) | (single ? 1u << 17 : 0u) | (wide ? 1u << 18 : 0u);
}

struct EmbedArgs {
  uint32_t tokens, columns, row_bytes;
  uint32_t first_row, rows;  // those of the table that this piece of it holds
  float scale;
};

struct RowArgs {  // take_rows
  uint32_t rows, columns;
};

struct NormArgs {
  uint32_t columns;
  float epsilon;
  uint32_t has_residual;
};

struct LinearArgs {
  uint32_t rows, columns, tokens;
  uint32_t row_bytes;
  uint32_t out_stride, first_row;  // where out[t, 0] of this piece of the matrix lies: t·out_stride + first_row
  uint32_t neighbours_head_dim;    // PackedMatrix::neighbours_head_dim
  uint32_t has_bias, has_residual;
  uint32_t activation;        // of gate_up: as in ElementArgs
  uint32_t has_other_format;  // of the two that the pipeline was made for
  float epsilon;              // of the norm before, where there is one
};

struct RopeArgs {
  uint32_t tokens, heads, half_dim;
};

struct StoreArgs {
  uint32_t kv_heads, head_dim;
  uint32_t head_bytes;   // a head's keys, or its values, in a block
  uint32_t layer_bytes;  // where the layer begins in a block
};

struct HeadsArgs {
  uint32_t heads;
  uint32_t has_q_norm, has_k_norm;
  float q_epsilon, k_epsilon;
  StoreArgs store;
};

struct AttentionArgs {
  uint32_t heads, kv_heads, head_dim;
  uint32_t head_bytes, layer_bytes;  // as in StoreArgs
  uint32_t most_blocks;              // of a tile: room for so many partial results
  uint32_t window_tokens;            // 0: all
  float scale;
};

// Up to kTile rows of attention that read the same keys: neighbouring pairs (token, head) of one sequence. Pair p is
// token first_token + p / group and the p % group-th of the `group` heads that share a head of keys.
struct AttentionTile {
  uint32_t first_token, first_pair, end_pair;
  uint32_t blocks_at;               // its sequence's addresses begin there
  uint32_t first_block, end_block;  // that any of its rows sees
};

struct ElementArgs {
  uint32_t count;
  uint32_t activation;  // gate: 0 SiLU, 1 GELU by tanh
};

}  // namespace gpu
}  // namespace rung

#undef RUNG_GPU_CONSTANT
#endif
