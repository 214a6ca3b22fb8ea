#include <stdexcept>

#include "metal/mutations.h"

namespace rung::mutations {

namespace {

constexpr Trial kLlama{"llama", DType::f16}, kGemma{"gemma3", DType::f32};
constexpr Trial kQ8Cache{"llama", DType::q8_0};
constexpr Trial linear(DType type) { return {"", type}; }
constexpr Trial kF32 = linear(DType::f32);

constexpr std::string_view kBarrier = "threadgroup_barrier(mem_flags::mem_threadgroup);";
constexpr std::string_view kNoFlag = "threadgroup_barrier(mem_flags::mem_none);";
constexpr std::string_view kOtherFlag = "threadgroup_barrier(mem_flags::mem_device);";

constexpr std::string_view kInside = "row >= args.rows || token >= args.tokens";

}  // namespace

const std::vector<KernelMutation>& kernel_mutations() {
  static const std::vector<KernelMutation> all{
      // ---- barriers, and who reaches them
      {"linear: no barrier before the runs are added", "inline void add_runs(", kBarrier, ";", kF32, Mode::checked},
      {"linear: a barrier without a flag", "inline void add_runs(", kBarrier, kNoFlag, kF32, Mode::checked},
      {"gate and up: no barrier", "inline void add_gated_runs(", kBarrier, ";", kLlama, Mode::checked},
      {"gate and up: a barrier for other memory", "inline void add_gated_runs(", kBarrier, kOtherFlag, kLlama,
       Mode::checked},
      {"norm: no barrier after the sums", "squares = simd_sum(squares);", kBarrier, ";", kLlama, Mode::checked},
      {"norm: every lane writes its group's sum", "squares = simd_sum(squares);",
       "if (lane == 0) sums[simd] = squares;", "sums[simd] = squares;", kLlama, Mode::checked},
      {"linear: some threads leave before the barrier", "inline void linear_tile(",
       "if (first_row >= args.rows) return;", "if (first_row >= args.rows || lane == 31) return;", kF32,
       Mode::in_order},
      {"diagonal: some threads leave before the barrier", "inline void linear_diagonal(",
       "if (first_row >= args.rows) return;", "if (first_row >= args.rows || lane == 31) return;", kF32,
       Mode::in_order},
      {"attention: another lane's number in a branch", "inline float max_of_row(",
       "return max(x, simd_shuffle_xor(x, 8));", "if (x > 0.0f) { return x; } return max(x, simd_shuffle_xor(x, 8));",
       kLlama, Mode::strict},
      // ---- tails
      {"linear: rows beyond the last are read", "inline device const uchar* row_start(", "min(row, args.rows - 1)",
       "row", kF32, Mode::checked},
      {"linear: rows beyond the last are written", "inline void add_runs(", kInside, "token >= args.tokens", kF32,
       Mode::checked},
      {"linear: tokens beyond the last are written", "inline void add_runs(", kInside, "row >= args.rows", kF32,
       Mode::checked},
      {"linear: tokens beyond the last are read", "inline void multiply_run(", "t + 1 < args.tokens", "true", kF32,
       Mode::checked},
      {"linear: columns beyond the last are read", "inline void multiply_run(", "k < args.columns", "true", kF32,
       Mode::checked},
      {"unpack: a column beyond the last is read", "inline void unpack_plain(", "k >= columns", "k > columns", kF32,
       Mode::checked},
      {"diagonal: columns beyond the last are read", "inline float4 four_of(", "k + 4 <= columns", "true", kF32,
       Mode::checked},
      {"diagonal: units beyond the last are read", "inline void multiply_diagonal(", "unit < units", "true",
       linear(DType::q8_0), Mode::checked},
      {"wide: columns beyond the last are read", "inline void unpack_plain(", "first + 8 <= columns", "true", kF32,
       Mode::checked},
      {"embed: more threads than values", "kernel void embed(", "t >= args.tokens", "false", kLlama, Mode::checked},
      {"attention: dimensions beyond the head", "kernel void attention_combine(", "d < args.head_dim",
       "d <= args.head_dim", kLlama, Mode::checked},
      // ---- indices
      {"linear: the second token where the first is", "inline void multiply_run(", "(token + 1) * kRows + row",
       "token * kRows + row", kF32, Mode::in_order},
      {"linear: a run takes the units of the next, too", "unit < units; unit += ", "rung::gpu::kRuns", "1u", kF32,
       Mode::in_order},
      {"linear: of a lane's two columns the first twice", "inline void multiply_run(", "weights[m][j + 4]",
       "weights[m][j]", linear(DType::q8_0), Mode::in_order},
      {"diagonal: its neighbour", "inline void multiply_diagonal(", "r % 2 == 0 ? two.x : two.y",
       "r % 2 == 0 ? two.y : two.x", kF32, Mode::in_order},
      {"diagonal: a place off it", "inline void multiply_diagonal(", "c != r / 2 * 2", "c != (r / 2 * 2 ^ 4)", kF32,
       Mode::in_order},
      {"diagonal: x of another unit", "inline void multiply_diagonal(", "k + 32", "k", linear(DType::q4_k),
       Mode::in_order},
      {"diagonal: x of another quarter", "inline void multiply_diagonal(", "4 * (r % 2)", "0", linear(DType::q4_0),
       Mode::in_order},
      {"diagonal: always the first eight units", "const uint step = ", "begin + rung::gpu::kRuns * s", "begin",
       linear(DType::q8_0), Mode::in_order},
      {"diagonal: steps are left out", "inline void multiply_diagonal(", "rung::gpu::kRuns * steps",
       "rung::gpu::kRuns * kMostSteps", linear(DType::q4_k), Mode::in_order},
      {"diagonal: the same products in another order", "inline void multiply_diagonal(",
       "set_elements(b, float2(x[s][0][j], x[s][1][j]));",
       "set_elements(a, float2(weights[3 - j], weights[7 - j]));"
       " set_elements(b, float2(x[s][0][3 - j], x[s][1][3 - j]));",
       kF32, Mode::in_order},
      {"diagonal: the first of a SIMD group's rows, twice", "inline void linear_diagonal(", "first_row + simd * MR + m",
       "first_row + simd * MR", kF32, Mode::in_order},
      {"diagonal: the gate's row where up's is", "inline void gate_up_diagonal(",
       "row_start(args, ups, first_row + simd)", "row_start(args, gates, first_row + simd)", kLlama, Mode::in_order},
      {"linear: a run is forgotten", "inline float sum_of_runs(", "s < rung::gpu::kRuns", "s + 1 < rung::gpu::kRuns",
       linear(DType::q4_k), Mode::in_order},
      {"matrices: rows of another order", "", "(lane / 4 & 4) + lane / 2 % 4", "(lane / 2 & 4) + lane / 2 % 4", kF32,
       Mode::in_order},
      {"units: two to a byte, as if side by side", "", "4 * quarter + i % 4 + 16 * (i / 4)", "8 * quarter + i",
       linear(DType::q4_0), Mode::in_order},
      {"Q4_0: no offset", "inline void unpack_halves(", "float((byte & 15) | ((high >> at) & 1) << 4) - offset",
       "float((byte & 15) | ((high >> at) & 1) << 4)", linear(DType::q4_0), Mode::in_order},
      {"Q8_0: bytes without a sign", "inline void unpack_q8_0(", "float(as_type<char>(uchar(two >> 8)))",
       "float(uchar(two >> 8))", linear(DType::q8_0), Mode::in_order},
      {"Q4_K: the neighbour's scale", "inline float2 scale_and_min(", "scale = groups[g] & 63;",
       "scale = groups[g ^ 1] & 63;", linear(DType::q4_k), Mode::in_order},
      {"Q4_K: the upper bits of the other", "inline float2 scale_and_min(", "(groups[g - 4] >> 6) << 4",
       "(groups[g] >> 6) << 4", linear(DType::q4_k), Mode::in_order},
      {"Q4_K: the fma adds the minimum", "inline void unpack_q4_k(", "fma(group.x, float(two & 15), -group.y)",
       "fma(group.x, float(two & 15), group.y)", linear(DType::q4_k), Mode::in_order},
      {"Q6_K: its middle", "inline void unpack_q6_k(", "float((low & 15) | (upper & 3) << 4) - 32.0f",
       "float((low & 15) | (upper & 3) << 4) - 31.0f", linear(DType::q6_k), Mode::in_order},
      {"bf16: shifted too little", "inline void unpack_plain(",
       "uint(reinterpret_cast<device const ushort*>(row)[k]) << 16",
       "uint(reinterpret_cast<device const ushort*>(row)[k]) << 15", linear(DType::bf16), Mode::in_order},
      {"wide: the first four twice", "inline void unpack_wide(", "out[4 + i] = high[i];", "out[4 + i] = low[i];", kF32,
       Mode::in_order},
      {"take_rows: the first row, not the wanted", "kernel void take_rows(", "rows[i / args.columns]",
       "i / args.columns", kLlama, Mode::in_order},
      {"embed: without its scale", "kernel void embed(", "values[i] * args.scale", "values[i]", kGemma, Mode::in_order},
      // ---- positions, windows, heads
      {"rope: turned the other way", "", "fma(a, cosine, -(b * sine))", "fma(a, cosine, b * sine)", kLlama,
       Mode::in_order},
      {"rope: fma of the other", "", "fma(b, cosine, a * sine)", "fma(a, cosine, b * sine)", kLlama, Mode::in_order},
      {"attention: a position of the future", "inline BlockResult weigh_block(", "position < row.end",
       "position <= row.end", kLlama, Mode::in_order},
      {"attention: a window one too short", "inline BlockResult weigh_block(", "position >= row.first",
       "position > row.first", kGemma, Mode::in_order},
      {"attention: another head's group", "inline Row row_of(", "pair % group", "0 * group", kLlama, Mode::in_order},
      // ---- softmax
      {"attention: the greatest of a lane, not of the row", "inline BlockResult weigh_block(",
       "greatest = max_of_row(greatest);", "greatest = greatest * 1.0f;", kLlama, Mode::in_order},
      {"attention: a sum of two lanes of four", "inline float sum_of_row(", "return x + simd_shuffle_xor(x, 8);",
       "return x;", kLlama, Mode::in_order},
      {"attention: e of the score, not of its distance", "inline BlockResult weigh_block(",
       "precise::exp(score - greatest)", "precise::exp(score)", kLlama, Mode::in_order},
      {"attention: the old part is not made smaller", "inline float combined(", "fma(x, s.old, next * s.next)",
       "fma(x, 1.0f, next * s.next)", kLlama, Mode::in_order},
      {"attention: e of the wrong sign between blocks", "inline Shares shares(", "precise::exp(of_block - s.greatest)",
       "precise::exp(s.greatest - of_block)", kLlama, Mode::in_order},
      {"attention: not divided by the sum", "kernel void attention_combine(", "to[d] = x / sum;", "to[d] = x;", kLlama,
       Mode::in_order},
      // ---- norms, activations, the cache
      {"norm: squares of this lane alone", "", "squares = simd_sum(squares);", "squares = squares * 1.0f;", kLlama,
       Mode::in_order},
      {"norm: a sum in a branch", "", "squares = simd_sum(squares);", "if (lane < 16) { squares = simd_sum(squares); }",
       kLlama, Mode::strict},
      {"SiLU: e of the wrong sign", "inline float activated(", "precise::exp(-steepness)", "precise::exp(steepness)",
       kLlama, Mode::in_order},
      {"GELU: the fma's parts exchanged", "inline float activated(", "fma(0.044715f * g * g, g, g)",
       "fma(0.044715f * g, g, g)", kGemma, Mode::in_order},
      {"Q8_0 cache: the scale of a lane alone", "", "simd_max(abs(x))", "abs(x)", kQ8Cache, Mode::in_order},
      {"Q8_0 cache: 100 steps, not 127", "", "largest / 127.0f", "largest / 100.0f", kQ8Cache, Mode::in_order},
      {"Q8_0 cache: another block's scale", "inline float scale_at(", "d / 32 * rung::gpu::kBlock + position",
       "d / 32 * rung::gpu::kBlock + position / 2", kQ8Cache, Mode::in_order},
  };
  return all;
}

std::string mutated(std::string source) {
  const std::string_view place = "using namespace metal;\n";
  std::size_t at = source.find(place);
  if (at == source.npos) throw std::logic_error("no place for the number of the mutation");
  source.insert(at + place.size(), "constant uint kMutation [[function_constant(99)]];\n");
  unsigned number = 0;
  for (const KernelMutation& m : kernel_mutations()) {
    const std::string is = "kMutation == " + std::to_string(++number) + "u", from(m.from), to(m.to);
    at = source.find(m.after);
    at = at == source.npos ? at : source.find(m.from, at);
    if (at == source.npos) throw std::logic_error("mutation '" + std::string(m.name) + "': its text is not there");
    const std::string choice = m.from.back() == ';' ? "if (" + is + ") { " + to + " } else { " + from + " }"
                                                    : "(" + is + " ? (" + to + ") : (" + from + "))";
    source.replace(at, m.from.size(), choice);
  }
  return source;
}

}  // namespace rung::mutations
