// llama.cpp's kernels for a matrix × a vector, one a weight format, as they are, in the emulator: against our own
// decoding of the same blocks and sums in double precision. others_kernels.py compiles them and this.
#include <cmath>
#include <cstdio>
#include <random>
#include <string>
#include <vector>

#include "ggml-metal/ggml-metal-impl.h"
#include "emulator/emulator.h"
#include "tensor/blocks.h"
#include "tensor/dtype.h"

namespace {

using rung::DType;

constexpr unsigned rows = 37, columns = 512;
std::mt19937 generator{1};

struct Format {
  DType type;
  const char* kernel;
  unsigned rows_per_simdgroup, simdgroups, threadgroup_bytes;
  bool shares_rows = false;  // the SIMD groups of a threadgroup work on the same rows
};

// As llama.cpp's host chooses them (ggml-metal-device.cpp).
const Format formats[] = {
    {DType::f32, "f32_f32_4", 2, 4, 256, true},
    {DType::f16, "f16_f32_4", 2, 4, 256, true},
    {DType::bf16, "bf16_f32_4", 2, 4, 256, true},
    {DType::q4_0, "q4_0_f32", N_R0_Q4_0, N_SG_Q4_0, 0},
    {DType::q4_1, "q4_1_f32", N_R0_Q4_1, N_SG_Q4_1, 0},
    {DType::q5_0, "q5_0_f32", N_R0_Q5_0, N_SG_Q5_0, 0},
    {DType::q5_1, "q5_1_f32", N_R0_Q5_1, N_SG_Q5_1, 0},
    {DType::q8_0, "q8_0_f32", N_R0_Q8_0, N_SG_Q8_0, 256, true},
    {DType::mxfp4, "mxfp4_f32", N_R0_MXFP4, N_SG_MXFP4, 128},
    {DType::q2_k, "q2_K_f32", N_R0_Q2_K, N_SG_Q2_K, 0},
    {DType::q3_k, "q3_K_f32", N_R0_Q3_K, N_SG_Q3_K, 0},
    {DType::q4_k, "q4_K_f32", N_R0_Q4_K, N_SG_Q4_K, 0},
    {DType::q5_k, "q5_K_f32", N_R0_Q5_K, N_SG_Q5_K, 0},
    {DType::q6_k, "q6_K_f32", N_R0_Q6_K, N_SG_Q6_K, 0},
    {DType::iq4_nl, "iq4_nl_f32", N_R0_IQ4_NL, N_SG_IQ4_NL, 128},
    {DType::iq4_xs, "iq4_xs_f32", N_R0_IQ4_XS, N_SG_IQ4_XS, 128},
    {DType::iq3_s, "iq3_s_f32", N_R0_IQ3_S, N_SG_IQ3_S, 512 * 4},
    {DType::iq3_xxs, "iq3_xxs_f32", N_R0_IQ3_XXS, N_SG_IQ3_XXS, 256 * 4 + 128},
    {DType::iq2_s, "iq2_s_f32", N_R0_IQ2_S, N_SG_IQ2_S, 0},
    {DType::iq2_xs, "iq2_xs_f32", N_R0_IQ2_XS, N_SG_IQ2_XS, 512 * 8 + 128},
    {DType::iq2_xxs, "iq2_xxs_f32", N_R0_IQ2_XXS, N_SG_IQ2_XXS, 256 * 8 + 128},
    {DType::iq1_s, "iq1_s_f32", N_R0_IQ1_S, N_SG_IQ1_S, 0},
    {DType::iq1_m, "iq1_m_f32", N_R0_IQ1_M, N_SG_IQ1_M, 0},
    {DType::tq2_0, "tq2_0_f32", N_R0_TQ2_0, N_SG_TQ2_0, 0},
};

// Random bytes, but such that each block decodes to numbers of no extreme size.
std::vector<std::byte> random_weights(DType type) {
  const rung::DTypeInfo& info = rung::info(type);
  std::vector<std::byte> all(rows * rung::row_bytes(type, columns));
  std::vector<float> values(info.values_per_block);
  for (std::size_t at = 0; at < all.size(); at += info.bytes_per_block) {
    for (bool is_fine = false; !is_fine;) {
      for (std::size_t i = 0; i < info.bytes_per_block; ++i) all[at + i] = static_cast<std::byte>(generator());
      rung::decode_row(values, type, all.data() + at);
      is_fine = true;
      for (const float v : values) is_fine &= std::isfinite(v) && std::fabs(v) < 1000;
    }
  }
  return all;
}

ggml_metal_kargs_mul_mv arguments_for(const Format& f) {
  const std::size_t row = rung::row_bytes(f.type, columns);
  ggml_metal_kargs_mul_mv a{};
  a.ne00 = a.ne10 = columns;
  a.ne01 = a.ne0 = rows;
  a.ne02 = a.ne11 = a.ne12 = a.ne1 = 1;
  a.nb00 = rung::info(f.type).bytes_per_block;
  a.nb01 = row;
  a.nb02 = a.nb03 = row * rows;
  a.nb10 = sizeof(float);
  a.nb11 = a.nb12 = a.nb13 = columns * sizeof(float);
  a.nr0 = static_cast<int>(f.rows_per_simdgroup);
  a.r2 = a.r3 = 1;
  return a;
}

std::vector<unsigned char> constant(unsigned value) {  // a short
  return {static_cast<unsigned char>(value), 0};
}

double distance(const metal_emulator::Library& library, const Format& f) {
  std::vector<std::byte> weights = random_weights(f.type);
  std::vector<float> x(columns), y(rows), row(columns);
  std::normal_distribution<float> normal;
  for (float& v : x) v = normal(generator);
  ggml_metal_kargs_mul_mv arguments = arguments_for(f);
  metal_emulator::Dispatch d;
  d.kernel = library.find(std::string{"kernel_mul_mv_"} + f.kernel);
  d.library = &library;
  d.buffers = {{0, {&arguments, sizeof arguments}},
               {1, {weights.data(), weights.size()}},
               {2, {x.data(), columns * sizeof(float)}},
               {3, {y.data(), rows * sizeof(float)}}};
  d.constants = {{FC_MUL_MV, constant(f.simdgroups)},
                 {FC_MUL_MV + 2, constant(1)},
                 {FC_MUL_MV + 3, constant(1)},
                 {FC_MUL_MV + 4, constant(1)}};
  d.threadgroup_bytes[0] = f.threadgroup_bytes > 0 ? f.threadgroup_bytes : 16;
  const unsigned rows_per_group = f.rows_per_simdgroup * (f.shares_rows ? 1 : f.simdgroups);
  d.groups = {(rows + rows_per_group - 1) / rows_per_group, 1, 1};
  d.threads_per_group = {32, f.simdgroups, 1};
  metal_emulator::run(d);
  double worst = 0;
  for (unsigned r = 0; r < rows; ++r) {
    rung::decode_row(row, f.type, weights.data() + r * rung::row_bytes(f.type, columns));
    double sum = 0, size = 0;
    for (unsigned c = 0; c < columns; ++c) {
      sum += static_cast<double>(row[c]) * x[c];
      size += std::fabs(static_cast<double>(row[c]) * x[c]);
    }
    worst = std::max(worst, std::fabs(sum - y[r]) / size);
  }
  return worst;
}

}  // namespace

int main(int, char** arguments) {
  const metal_emulator::Library library{arguments[1]};
  bool is_wrong = false;
  for (const Format& f : formats) {
    constexpr double bound = 2e-6;  // of the sum of the terms' sizes
    const double worst = distance(library, f);
    is_wrong |= !(worst <= bound);
    std::printf("kernel_mul_mv_%-12s worst %.1e of the sum of sizes: %s\n", f.kernel, worst,
                worst <= bound ? "ok" : "WRONG");
  }
  return is_wrong;
}
