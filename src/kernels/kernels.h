// A table of plain functions per instruction set, chosen once at start.  Milestones M2 (scalar), M6 (the fast ones).
//
// Kernels work on bare pointers: shapes were checked at the entry of the operation. Each sums in one fixed order that depends on n alone, so
// that a row's result is the same bits whatever batch, chunk or thread it is computed in.
#pragma once

#include <cstddef>
#include <span>
#include <string_view>

namespace rung {

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
  // (x[i], x[i+half]) turned by the angle whose cosine and sine are given.  (Su et al. 2021, arXiv:2104.09864; the half-split pairing of GPT-NeoX)
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
};

// The sets that this build has and this machine can run, best first. `scalar` is always the last.
std::span<const Kernels* const> supported_kernels();

// The best supported set, or the one that RUNG_KERNELS names. Throws Error for a name that is not among the supported.
const Kernels& chosen_kernels();

}  // namespace rung
