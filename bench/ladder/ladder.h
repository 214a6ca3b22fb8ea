// The ladder: seven versions of one function, each but the fourth faster than the one before for one reason.  Milestone
// M6.
//
//   out[t][r] = Σ_i weights[r][i]·x[t][i]          the product of a linear layer: rows × columns weights,
//                                                  and tokens that go through it
//
// A rung first packs the weights as it wants to have them (once, when a model is loaded), then multiplies (at every
// pass). `ladder` times each, tests/kernels/ladder_test.cpp holds it to sums in double precision; read the files in
// their order.
#pragma once

#include <cstddef>
#include <cstdint>
#include <span>
#include <vector>

#include "base/arena.h"
#include "base/threads.h"

namespace ladder {

struct Shape {
  std::size_t rows;     // a multiple of 16
  std::size_t columns;  // a multiple of 32
  std::size_t tokens;
};

// 32 values as eight-bit integers that share a scale: value[i] ≈ scale·q[i].
struct Block {
  float scale;
  std::int8_t q[32];
};
static_assert(sizeof(Block) == 36);

Block quantize(const float* values);  // of 32

// What a rung multiplies with. Where it rounds to eight bits, the sums that it is held to are those of the rounded
// values.
enum class Rounds { nothing, weights, both };

struct Rung {
  const char* name;
  Rounds rounds;
  std::size_t (*packed_bytes)(const Shape& shape);
  void (*pack)(std::byte* packed, const float* weights, const Shape& shape);  // weights: [rows, columns]
  // out: [tokens, rows], x: [tokens, columns]. Only the last rung asks the team.
  void (*multiply)(float* out, const std::byte* packed, const float* x, const Shape& shape, rung::ThreadTeam& team);
};

std::span<const Rung> rungs();  // from the naive one up

// What the rungs share, each explained where it is first used.
std::size_t float_bytes(const Shape& shape);  // 1_naive.cpp
void copy_floats(std::byte* packed, const float* weights, const Shape& shape);
std::size_t block_bytes(const Shape& shape);  // 4_bytes.cpp
void pack_blocks(std::byte* packed, const float* weights, const Shape& shape);
// [tokens, columns / 32], until the next call.
std::span<const Block> quantized(const float* x, const Shape& shape);  // 5_integers.cpp
std::size_t panel_bytes(const Shape& shape);                           // 6_panels.cpp
void pack_panels(std::byte* packed, const float* weights, const Shape& shape);
void multiply_panels(float* out, const std::byte* packed, const Block* x, const Shape& shape, std::size_t first_panel,
                     std::size_t end_panel);

extern const Rung naive, vectors, tiles, bytes, integers, panels, threads;

}  // namespace ladder
