// Σ_k x[t,k]·w[o,k] in eight partial sums, the runs: what linear.metal adds up; two ways, the same bits.  Milestone M7.
//
// The GPU multiplies matrices of 8 × 8 in one go (simdgroup_multiply_accumulate). A tile of outputs is such a matrix,
// rows of w down, tokens across; it is made by going along k, eight columns at a time:
//
//               k →                          tokens             A  8 rows of w, unpacked into registers as they come:
//          ┌──┬──┬──┬──┬──┐               ┌────┐                   a lane unpacks two values of a row for each A
//   rows   │A │A │A │A │… │   ·   k  ↓    │ B  │               B  x of 8 tokens; where there are fewer, zeros
//   of w   └──┴──┴──┴──┴──┘               │ B  │
//    unit   0  1  2  … 7  8 …             └────┘               out = (… (run 0 + run 1) + …) + run 7
//    run    0  1  2  … 7  0 …
//
// k goes by units of 32, which are dealt out to eight runs in turn. Each SIMD group of the threadgroup has a run, so what
// they read lies side by side; the runs' sums are added left to right. Which units a run has, and in which order,
// depends on the length of k alone, and a number of a product of matrices on its own row of A and column of B: so a
// token's result is the same bits alone or among a hundred.
//
// Which k a column of A is, is free, as long as B has the same in that row: so the four lanes that share a row of A
// read what lies side by side in a block (formats.metal), and of x a lane takes four columns that are neighbours.
//
// A single token would leave seven columns of B empty, and what it waits for is memory: eight rows of w are eight
// places, far apart. So it has another way to the same sums, the diagonal. The rows of A are the eight runs of ONE row
// of w, side by side in memory; the columns of B are what x has for each of them:
//
//             one row of w                   x of unit
//                                          0  1  …  7
//             ┌ unit 0 ┐   run 0           ┌──┬──┬──┐            ┌ run 0               ┐
//        A    │ unit 1 │   run 1      B    │  │  │  │     A · B  │       run 1         │
//             │   …    │            8 of k │  │  │  │            │             …       │
//             └ unit 7 ┘   run 7           └──┴──┴──┘            └               run 7 ┘
//
// On the diagonal run r of w meets run r of x: the eight partial sums, made by the same products in the same order. Off
// it is what nobody wants. A SIMD group goes along its rows by itself, and reads each from end to end.

// Before a layer's linear layers stands a norm. Of a token or two each threadgroup makes it for itself (Input): that is
// one dispatch less, for reading x once more to find its size, and the norm's weight wherever x is read.

// What is multiplied: x [tokens, columns]; where the pipeline is made for it, normed by what norm.metal finds.
struct Input {
  device const float* x;
  device const float* norm_weight;
  float2 inverses;  // of up to kNormTokens rows
};
inline float value_of(Input in, uint t, uint k, uint columns) {
  const float x = in.x[ulong(t) * columns + k];
  return is_normed() ? normed(x, t == 0 ? in.inverses.x : in.inverses.y, in.norm_weight[k]) : x;
}

// By all threads of a threadgroup. One of the grid keeps what the norm makes, as the verb alone would: `to`.
inline Input input_of(constant rung::gpu::LinearArgs& args, device const float* x, device const float* norm_weight,
                      device float* to, threadgroup float* sums, bool keeps, ushort run, ushort lane) {
  Input in{x, norm_weight, float2(0.0f)};
  if (!is_normed()) return in;
  const ushort t = run * rung::gpu::kSimd + lane;
  for (uint row = 0; row < args.tokens; ++row) {
    in.inverses[row] = inverse_norm(x + row * args.columns, args.columns, args.epsilon,
                                    sums + row * rung::gpu::kNormSimds, t, run, lane);
  }
  if (!keeps) return in;
  for (uint row = 0; row < args.tokens; ++row) {
    for (uint k = t; k < args.columns; k += rung::gpu::kRuns * rung::gpu::kSimd) {
      to[row * args.columns + k] = value_of(in, row, k, args.columns);
    }
  }
  return in;
}

// Where the rows of a lane begin: one a tile, or, for the diagonal, its rows.
template <ushort MR>
struct RowStarts {
  device const uchar* at[MR];
};

inline device const uchar* row_start(constant rung::gpu::LinearArgs& args, device const uchar* w, uint row) {
  const uint in_w = min(row, args.rows - 1);  // what is made of a row too many is not stored
  return w + ulong(row_in_file(in_w, args.neighbours_head_dim)) * args.row_bytes;
}

// MR tiles of 8 rows, NT tiles of 8 tokens, for this SIMD group's run of k: partial[run][token][row]. Loops over matrices
// are unrolled: what is indexed at run time cannot stay in registers.
template <ushort MR, ushort NT>
inline void multiply_run(uint format, threadgroup float* partial, constant rung::gpu::LinearArgs& args, Input in,
                         RowStarts<MR> rows, uint first_token, ushort run, ushort lane) {
  constexpr ushort kRows = 8 * MR, kTokens = 8 * NT;
  const ushort r = matrix_row(lane), c = matrix_column(lane);
  simdgroup_float8x8 sums[MR][NT];
#pragma unroll
  for (ushort m = 0; m < MR; ++m) {
#pragma unroll
    for (ushort n = 0; n < NT; ++n) sums[m][n] = zero_matrix();
  }
  const uint units = (args.columns + 31) / 32;
  for (uint unit = run; unit < units; unit += rung::gpu::kRuns) {
    float weights[MR][8];
#pragma unroll
    for (ushort m = 0; m < MR; ++m) unpack_eight(format, weights[m], rows.at[m], unit, c / 2, args.columns);
#pragma unroll
    for (ushort j = 0; j < 4; ++j) {
      const uint k = 32 * unit + place_of(format, r / 2, j + 4 * (r % 2));
      const bool there = k < args.columns;
      simdgroup_float8x8 b[NT];
#pragma unroll
      for (ushort n = 0; n < NT; ++n) {
        const uint t = first_token + 8 * n + c;
        set_elements(b[n], float2(there && t < args.tokens ? value_of(in, t, k, args.columns) : 0.0f,
                                  there && t + 1 < args.tokens ? value_of(in, t + 1, k, args.columns) : 0.0f));
      }
#pragma unroll
      for (ushort m = 0; m < MR; ++m) {
        simdgroup_float8x8 a;
        set_elements(a, float2(weights[m][j], weights[m][j + 4]));
#pragma unroll
        for (ushort n = 0; n < NT; ++n) simdgroup_multiply_accumulate(sums[m][n], a, b[n], sums[m][n]);
      }
    }
  }
  threadgroup float* const mine = partial + run * kTokens * kRows;
#pragma unroll
  for (ushort m = 0; m < MR; ++m) {
#pragma unroll
    for (ushort n = 0; n < NT; ++n) {
      const float2 two = elements(sums[m][n]);
      const ushort row = 8 * m + r, token = 8 * n + c;
      mine[token * kRows + row] = two.x;
      mine[(token + 1) * kRows + row] = two.y;
    }
  }
}

// x in columns k … k + 3 of a single token. They are neighbours, so the four can be one load; beyond the last are zeros.
inline float4 four_of(Input in, uint k, uint columns) {
  if (k + 4 <= columns) {
    return float4(value_of(in, 0, k, columns), value_of(in, 0, k + 1, columns), value_of(in, 0, k + 2, columns),
                  value_of(in, 0, k + 3, columns));
  }
  float4 four = float4(0.0f);
  for (ushort i = 0; i < 3; ++i) {
    if (k + i < columns) four[i] = value_of(in, 0, k + i, columns);
  }
  return four;
}

// The diagonal: MR rows of w and a single token, by this SIMD group alone. partial[run][row], of which its rows are
// first, first + apart, ….  x of several steps is kept in registers while each row goes through them, so that what is
// read of a row at a time is longer than a few cache lines.
template <ushort MR>
inline void multiply_diagonal(uint format, threadgroup float* partial, constant rung::gpu::LinearArgs& args, Input in,
                              RowStarts<MR> rows, ushort first, ushort apart, ushort lane) {
  const ushort r = matrix_row(lane), c = matrix_column(lane);
  simdgroup_float8x8 sums[MR];
#pragma unroll
  for (ushort m = 0; m < MR; ++m) sums[m] = zero_matrix();
  const uint units = (args.columns + 31) / 32;
  const ushort steps = steps_of(format);
  for (uint begin = 0; begin < units; begin += rung::gpu::kRuns * steps) {
    float4 x[kMostSteps][2];
#pragma unroll
    for (ushort s = 0; s < kMostSteps; ++s) {
      if (s >= steps) break;
      const uint k = 32 * (begin + rung::gpu::kRuns * s + c) + place_of(format, r / 2, 4 * (r % 2));
      x[s][0] = four_of(in, k, args.columns);
      x[s][1] = four_of(in, k + 32, args.columns);
    }
#pragma unroll
    for (ushort m = 0; m < MR; ++m) {
#pragma unroll
      for (ushort s = 0; s < kMostSteps; ++s) {
        const uint step = begin + rung::gpu::kRuns * s, unit = step + r;
        if (s >= steps || step >= units) break;
        float weights[8] = {0, 0, 0, 0, 0, 0, 0, 0};
        if (unit < units) unpack_eight(format, weights, rows.at[m], unit, c / 2, args.columns);
#pragma unroll
        for (ushort j = 0; j < 4; ++j) {
          simdgroup_float8x8 a, b;
          set_elements(a, float2(weights[j], weights[j + 4]));
          set_elements(b, float2(x[s][0][j], x[s][1][j]));
          simdgroup_multiply_accumulate(sums[m], a, b, sums[m]);
        }
      }
    }
  }
  if (c != r / 2 * 2) return;  // of each row one lane holds the place on the diagonal
#pragma unroll
  for (ushort m = 0; m < MR; ++m) {
    const float2 two = elements(sums[m]);
    partial[r * rung::gpu::kRuns * MR + first + m * apart] = r % 2 == 0 ? two.x : two.y;
  }
}

// The runs' sums of one output, left to right. `size`: outputs of a tile.
inline float sum_of_runs(threadgroup const float* partial, uint at, uint size) {
  float sum = partial[at];
  for (ushort s = 1; s < rung::gpu::kRuns; ++s) sum += partial[s * size + at];
  return sum;
}
