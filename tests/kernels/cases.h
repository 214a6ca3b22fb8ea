// What the kernels are tested and timed with. bench/bench_kernels.cpp and bench/bench_panels.cpp take their cases from
// here: what is added to a list is in the tests and in the benchmarks.
#pragma once

#include <array>
#include <cstddef>
#include <cstdint>
#include <vector>

#include "base/half.h"
#include "kernels/kernels.h"

namespace rung {

// Every type that a linear layer's weights may have.
inline constexpr auto kWeightTypes = [] {
  std::array<DType, kDTypes.size()> types{};
  for (std::size_t i = 0; i < types.size(); ++i) types[i] = kDTypes[i].type;
  return types;
}();

inline constexpr std::array kCacheTypes{DType::f32, DType::f16, DType::q8_0};  // of attention's keys and values
inline constexpr std::array<std::size_t, 8> kHeadDims{8, 12, 16, 24, 40, 64, 80, 128};  // of attention

// 1 to 40 covers every tail of 16 and 32 lanes; then sizes of real models.
inline std::vector<std::size_t> kernel_lengths() {
  std::vector<std::size_t> all;
  for (std::size_t n = 1; n <= 40; ++n) all.push_back(n);
  all.insert(all.end(), {64, 127, 576, 640, 1000, 1536});
  return all;
}

// A kernel that works along vectors: out[0, outputs) from a and b of n values each. out is a's copy where the kernel
// works in place.
struct VectorCase {
  const char* name;
  std::size_t multiple;        // n is one of it
  std::size_t floats_touched;  // read and written for each of the n
  void (*run)(const Kernels& k, float* out, const float* a, const float* b, std::size_t n);
  bool one_output = false;  // else n
};

inline constexpr std::array kVectorCases{
    VectorCase{
        "dot", 1, 2,
        [](const Kernels& k, float* out, const float* a, const float* b, std::size_t n) { out[0] = k.dot(a, b, n); },
        true},
    VectorCase{"add_scaled", 1, 3,
               [](const Kernels& k, float* out, const float*, const float* b, std::size_t n) {
                 k.add_scaled(out, 0.75f, b, n);
               }},
    VectorCase{
        "scale", 1, 2,
        [](const Kernels& k, float* out, const float*, const float*, std::size_t n) { k.scale(out, -1.25f, n); }},
    VectorCase{"add", 1, 3,
               [](const Kernels& k, float* out, const float*, const float* b, std::size_t n) { k.add(out, b, n); }},
    VectorCase{"rms_norm", 1, 4,
               [](const Kernels& k, float* out, const float* a, const float* b, std::size_t n) {
                 k.rms_norm(out, a, b, n, 1e-5f);
               }},
    VectorCase{"rotate", 2, 3,
               [](const Kernels& k, float* out, const float*, const float* b, std::size_t n) {
                 k.rotate(out, b, b + n / 2, n / 2);
               }},
    VectorCase{
        "silu_gate", 1, 3,
        [](const Kernels& k, float* out, const float* a, const float* b, std::size_t n) { k.silu_gate(out, a, b, n); }},
    VectorCase{
        "gelu_gate", 1, 3,
        [](const Kernels& k, float* out, const float* a, const float* b, std::size_t n) { k.gelu_gate(out, a, b, n); }},
    VectorCase{"exponentiate", 1, 2,
               [](const Kernels& k, float* out, const float*, const float*, std::size_t n) { k.exponentiate(out, n); }},
    VectorCase{"round_to_f16", 1, 2,
               [](const Kernels& k, float* out, const float* a, const float*, std::size_t n) {
                 static std::array<std::uint16_t, 4096> f16s;
                 k.round_to_f16(f16s.data(), a, n);
                 for (std::size_t i = 0; i < n; ++i) out[i] = to_f32(f16{f16s[i]});
               }},
    VectorCase{"round_to_q8", 1, 2,
               [](const Kernels& k, float* out, const float* a, const float*, std::size_t n) {
                 static std::array<std::int8_t, 4096> q;
                 static std::array<std::uint16_t, 128> scales;
                 k.round_to_q8(q.data(), scales.data(), a, n);
                 for (std::size_t i = 0; i < n; ++i) out[i] = to_f32(f16{scales[i / 32]}) * static_cast<float>(q[i]);
               }},
    VectorCase{"quantize", 32, 2,
               [](const Kernels& k, float* out, const float* a, const float*, std::size_t n) {
                 static std::array<ActivationBlock, 128> blocks;
                 k.quantize(blocks.data(), a, n);
                 for (std::size_t i = 0; i < n; ++i) {
                   out[i] = blocks[i / 32].scale * static_cast<float>(blocks[i / 32].q[i % 32]);
                 }
               }},
};
}  // namespace rung
