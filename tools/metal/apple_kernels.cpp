// Kernels that Apple's compiler compiled (apple_kernels.py), each against double precision: the runner, and the
// functions of Metal that compiled kernels call.
#include <cmath>
#include <cstdio>
#include <cstring>
#include <random>
#include <string>
#include <vector>

#include "emulator/runtime/executor.h"

using metal_emulator::Exchange;
using metal_emulator::Executor;
using metal_emulator::State;

// ---- what AIR calls ----

namespace {

Exchange* together(const void* in, unsigned bytes) { return Executor::instance().together(in, bytes, 32, "air", 1); }

template <class F>
float reduced(float value, float identity, F f) {
  const Exchange* const x = together(&value, sizeof value);
  float all[32];
  for (unsigned i = 0; i < 32; ++i) {
    all[i] = identity;
    if (x->active >> i & 1) std::memcpy(&all[i], x->in[i], sizeof(float));
  }
  for (unsigned half = 16; half; half /= 2) {
    for (unsigned i = 0; i < half; ++i) all[i] = f(all[i], all[i + half]);
  }
  return all[0];
}

unsigned row_of(unsigned lane) { return (lane / 4 & 4) + lane / 2 % 4; }
unsigned column_of(unsigned lane) { return (lane / 8 & 1) * 4 + lane % 2 * 2; }

}  // namespace

// A name with dots is no name to C++: each function says its own to the assembler.
#define AIR(result, function, name, arguments)        \
  extern "C" result function arguments __asm__(name); \
  extern "C" result function arguments

AIR(float, air_simd_sum, "air.simd_sum.f32", (float v)) {
  return reduced(v, 0.f, [](float a, float b) { return a + b; });
}
AIR(float, air_simd_max, "air.simd_max.f32", (float v)) {
  return reduced(v, -INFINITY, [](float a, float b) { return std::fmax(a, b); });
}
AIR(void, air_barrier, "air.wg.barrier", (int flags, int)) {
  Executor::instance().wait(State::threadgroup_barrier, static_cast<unsigned>(flags), "air", 1);
}
AIR(void, air_simdgroup_barrier, "air.simdgroup.barrier", (int flags, int)) {
  Executor::instance().wait(State::simdgroup_barrier, static_cast<unsigned>(flags), "air", 1);
}
AIR(float, air_rsqrt, "air.rsqrt.f32", (float x)) { return 1 / std::sqrt(x); }
AIR(float, air_exp, "air.exp.f32", (float x)) { return std::exp(x); }
AIR(float, air_fast_exp, "air.fast_exp.f32", (float x)) { return std::exp(x); }
AIR(float, air_fmax, "air.fmax.f32", (float a, float b)) { return std::fmax(a, b); }
AIR(float, air_fast_fmax, "air.fast_fmax.f32", (float a, float b)) { return std::fmax(a, b); }
AIR(float, air_of_unsigned, "air.convert.f.f32.u.i32", (unsigned x)) { return static_cast<float>(x); }
AIR(float, air_of_signed, "air.convert.f.f32.s.i32", (int x)) { return static_cast<float>(x); }
AIR(int, air_min, "air.min.s.i32", (int a, int b)) { return a < b ? a : b; }
AIR(signed char, air_predicate, "air.normalize_function_constant_predicate.i8", (signed char p)) { return p != 0; }

// a·b + c of 8 × 8, two elements a lane of each: in and out.
extern "C" void air_matrix_product(const float* in, float* out) {
  const Exchange* const x = together(in, 6 * sizeof(float));
  float a[8][8], b[8][8], c[8][8];
  for (unsigned lane = 0; lane < 32; ++lane) {
    float said[6];
    std::memcpy(said, x->in[lane], sizeof said);
    for (unsigned i = 0; i < 2; ++i) {
      a[row_of(lane)][column_of(lane) + i] = said[i];
      b[row_of(lane)][column_of(lane) + i] = said[2 + i];
      c[row_of(lane)][column_of(lane) + i] = said[4 + i];
    }
  }
  const unsigned lane = Executor::instance().lane();
  for (unsigned i = 0; i < 2; ++i) {
    const unsigned row = row_of(lane), column = column_of(lane) + i;
    float sum = c[row][column];
    for (unsigned k = 0; k < 8; ++k) sum += a[row][k] * b[k][column];
    out[i] = sum;
  }
}

// ---- the runs ----

namespace {

using metal_emulator::Dispatch;
using metal_emulator::Library;
using metal_emulator::Size;

std::mt19937 generator{1};

std::vector<float> values(std::size_t n) {
  std::normal_distribution<float> normal;
  std::vector<float> v(n);
  for (float& x : v) x = normal(generator);
  return v;
}

template <class T>
metal_emulator::Memory memory(std::vector<T>& v) {
  return {v.data(), v.size() * sizeof(T)};
}
template <class T>
metal_emulator::Memory memory(T& v) {
  return {&v, sizeof v};
}

bool is_wrong = false;

void report(const std::string& what, double worst, double bound) {
  std::printf("%-44s worst %.1e, bound %.0e: %s\n", what.c_str(), worst, bound, worst <= bound ? "ok" : "WRONG");
  is_wrong |= !(worst <= bound);
}

// A row to one threadgroup; `per_thread` elements to a thread, or (looped) more rounds of 1,024 threads.
unsigned threads_for(unsigned n, unsigned per_thread) {
  return std::min(1024u, ((n + per_thread - 1) / per_thread + 31) / 32 * 32);
}

void rms_norm(const Library& library, const std::string& name, unsigned n) {
  std::vector<float> x = values(n), w = values(n), out(n);
  float epsilon = 1e-5f;
  unsigned axis = n, stride = 1;
  Dispatch d;
  d.kernel = library.find(name);
  d.buffers = {{0, memory(x)},       {1, memory(w)},    {2, memory(out)},
               {3, memory(epsilon)}, {4, memory(axis)}, {5, memory(stride)}};
  d.threads_per_group = {threads_for(n, 4), 1, 1};
  metal_emulator::run(d);
  double squares = 0, worst = 0;
  for (const float v : x) squares += static_cast<double>(v) * v;
  for (unsigned i = 0; i < n; ++i) {
    worst = std::max(worst, std::fabs(out[i] - x[i] * static_cast<double>(w[i]) / std::sqrt(squares / n + 1e-5)));
  }
  report(name + ", " + std::to_string(n), worst, 5e-6);
}

// Of lengths that fill whole SIMD groups: this kernel's threads past the end count on being few.
void layer_norm(const Library& library, const std::string& name, unsigned n) {
  std::vector<float> x = values(n), w = values(n), bias = values(n), out(n);
  float epsilon = 1e-5f;
  unsigned axis = n, stride = 1, stride_bias = 1;
  Dispatch d;
  d.kernel = library.find(name);
  d.buffers = {{0, memory(x)},       {1, memory(w)},    {2, memory(bias)},   {3, memory(out)},
               {4, memory(epsilon)}, {5, memory(axis)}, {6, memory(stride)}, {7, memory(stride_bias)}};
  d.threads_per_group = {threads_for(n, 8), 1, 1};
  metal_emulator::run(d);
  double mean = 0, variance = 0, worst = 0;
  for (const float v : x) mean += v / static_cast<double>(n);
  for (const float v : x) variance += (v - mean) * (v - mean) / n;
  for (unsigned i = 0; i < n; ++i) {
    worst = std::max(worst, std::fabs(out[i] - ((x[i] - mean) / std::sqrt(variance + 1e-5) * w[i] + bias[i])));
  }
  report(name + ", " + std::to_string(n), worst, 5e-6);
}

void softmax(const Library& library, const std::string& name, unsigned n) {
  std::vector<float> x = values(n), out(n);
  int axis = static_cast<int>(n);
  Dispatch d;
  d.kernel = library.find(name);
  d.buffers = {{0, memory(x)}, {1, memory(out)}, {2, memory(axis)}};
  d.threads_per_group = {threads_for(n, 4), 1, 1};
  metal_emulator::run(d);
  double sum = 0, worst = 0;
  for (const float v : x) sum += std::exp(static_cast<double>(v));
  for (unsigned i = 0; i < n; ++i) {
    const double expected = std::exp(static_cast<double>(x[i])) / sum;
    worst = std::max(worst, std::fabs(out[i] - expected) / expected);
  }
  report(name + ", " + std::to_string(n), worst, 5e-6);
}

// y = W·x, W in groups of 64 numbers of few bits, each with its scale and bias.
void quantised(const Library& library, const std::string& name, unsigned bits) {
  const unsigned rows = 64, columns = 1024, group = 64, per_word = 32 / bits;
  std::vector<unsigned> w(rows * columns / per_word);
  for (unsigned& word : w) word = generator();
  std::vector<float> scales = values(rows * columns / group), biases = values(rows * columns / group);
  std::vector<float> x = values(columns), y(rows);
  for (float& s : scales) s *= 0.01f;
  int in = columns, out = rows;
  Dispatch d;
  d.kernel = library.find(name);
  d.buffers = {{0, memory(w)}, {1, memory(scales)}, {2, memory(biases)}, {3, memory(x)},
               {4, memory(y)}, {5, memory(in)},     {6, memory(out)}};
  std::vector<long> unused(16);  // shapes and strides of a batch: there is none
  for (unsigned i = 7; i <= 14; ++i) d.buffers[i] = memory(unused);
  d.groups = {1, rows / 8, 1};
  d.threads_per_group = {32, 2, 1};
  metal_emulator::run(d);
  double worst = 0;
  for (unsigned r = 0; r < rows; ++r) {
    double sum = 0, size = 0;
    for (unsigned c = 0; c < columns; ++c) {
      const unsigned at = r * columns + c, q = w[at / per_word] >> (at % per_word * bits) & ((1u << bits) - 1);
      const double term = x[c] * (static_cast<double>(scales[at / group]) * q + biases[at / group]);
      sum += term;
      size += std::fabs(term);
    }
    worst = std::max(worst, std::fabs(sum - y[r]) / size);
  }
  report(name.substr(0, 15) + ", " + std::to_string(bits) + " bits", worst, 1e-6);
}

struct GemmParameters {  // mlx::steel::GEMMParams, as the kernel's own metadata lays it out
  int M, N, K, lda, ldb, ldd, tiles_n, tiles_m;
  long batch_stride_a, batch_stride_b, batch_stride_d;
  int swizzle_log, gemm_k_iterations_aligned, batch_ndim;
};

void matrix_product(const Library& library, const std::string& name) {
  const int m = 64, n = 96, k = 80, tile = 32, tile_k = 16;
  std::vector<float> a = values(m * k), b = values(k * n), out(m * n);
  GemmParameters p{m, n, k, k, n, n, n / tile, m / tile, 0, 0, 0, 0, k / tile_k, 0};
  Dispatch d;
  d.kernel = library.find(name);
  // What only exists where a function constant says so gets some memory all the same.
  std::vector<long> unused(16);
  d.buffers = {{0, memory(a)}, {1, memory(b)},      {2, memory(unused)}, {3, memory(out)},
               {4, memory(p)}, {5, memory(unused)}, {6, memory(unused)}, {7, memory(unused)}};
  d.groups = {static_cast<unsigned>(p.tiles_n), static_cast<unsigned>(p.tiles_m), 1};
  d.threads_per_group = {32, 2, 2};
  metal_emulator::run(d);
  double worst = 0;
  for (int r = 0; r < m; ++r) {
    for (int c = 0; c < n; ++c) {
      double sum = 0, size = 0;
      for (int i = 0; i < k; ++i) {
        sum += static_cast<double>(a[r * k + i]) * b[i * n + c];
        size += std::fabs(static_cast<double>(a[r * k + i]) * b[i * n + c]);
      }
      worst = std::max(worst, std::fabs(sum - out[r * n + c]) / size);
    }
  }
  report("steel_gemm_fused_nn, 64 × 96 × 80", worst, 1e-6);
}

}  // namespace

int main(int count, char** paths) {
  for (int i = 1; i < count; ++i) {
    const Library library{paths[i]};
    const std::string name = library.names().at(0);
    const auto is = [&](const char* part) { return name.find(part) != name.npos; };
    if (is("rmsfloat")) {
      for (const unsigned n : {64u, 1000u, 2048u, 4095u}) rms_norm(library, name, n);
    } else if (is("rms_looped")) {
      rms_norm(library, name, 9000);
    } else if (is("layer_norm")) {
      for (const unsigned n : {256u, 2048u, 4096u}) layer_norm(library, name, n);
    } else if (is("softmax")) {
      for (const unsigned n : {100u, 1024u, 4096u}) softmax(library, name, n);
    } else if (is("_b_4_") || is("_b_8_")) {
      quantised(library, name, is("_b_4_") ? 4 : 8);
    } else {
      matrix_product(library, name);
    }
  }
  return is_wrong;
}
