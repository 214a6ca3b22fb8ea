// The kernels in plain C++: what the other sets are held against.  Milestone M2.
#include "kernels/scalar/scalar.h"

#include <algorithm>
#include <cmath>
#include <concepts>
#include <cstddef>
#include <cstdint>
#include <initializer_list>
#include <cstring>

#include "base/half.h"
#include "kernels/panels.h"
#include "kernels/target.h"
#include "tensor/blocks.h"

namespace rung::scalar {

namespace {

// A compiler may not reorder a sum of floats, so one running sum would wait for each addition in turn. Sixteen sums
// side by side do not, and fill the vector registers of whatever machine this is compiled for.
constexpr std::size_t kLanes = 16;

float sum_lanes(const float (&lane)[kLanes]) {
  float s[8];
  for (std::size_t i = 0; i < 8; ++i) s[i] = lane[i] + lane[i + 8];
  for (std::size_t i = 0; i < 4; ++i) s[i] += s[i + 4];
  return (s[0] + s[2]) + (s[1] + s[3]);
}

float dot(const float* a, const float* b, std::size_t n) {
  float lane[kLanes] = {};
  std::size_t i = 0;
  for (; i + kLanes <= n; i += kLanes) {
    for (std::size_t k = 0; k < kLanes; ++k) lane[k] += a[i + k] * b[i + k];
  }
  float tail = 0;
  for (; i < n; ++i) tail += a[i] * b[i];
  return sum_lanes(lane) + tail;
}

void add_scaled(float* y, float a, const float* x, std::size_t n) {
  for (std::size_t i = 0; i < n; ++i) y[i] += a * x[i];
}

void scale(float* y, float a, std::size_t n) {
  for (std::size_t i = 0; i < n; ++i) y[i] *= a;
}

// The formulas of these are in ops/reference.cpp, beside the verbs that call them.
void rms_norm(float* out, const float* x, const float* weight, std::size_t n, float epsilon) {
  const float mean_square = dot(x, x, n) / static_cast<float>(n);
  const float inverse = 1.0f / std::sqrt(mean_square + epsilon);
  for (std::size_t i = 0; i < n; ++i) out[i] = x[i] * inverse * weight[i];
}

void rotate(float* x, const float* cosine, const float* sine, std::size_t half) {
  for (std::size_t i = 0; i < half; ++i) {
    const float a = x[i];
    const float b = x[i + half];
    x[i] = a * cosine[i] - b * sine[i];
    x[i + half] = b * cosine[i] + a * sine[i];
  }
}

void silu_gate(float* out, const float* gate, const float* up, std::size_t n) {
  for (std::size_t i = 0; i < n; ++i) out[i] = gate[i] / (1.0f + std::exp(-gate[i])) * up[i];
}

// gelu by its tanh approximation.  (Hendrycks & Gimpel 2016, arXiv:1606.08415)
void gelu_gate(float* out, const float* gate, const float* up, std::size_t n) {
  constexpr float kSqrtTwoOverPi = 0.7978845608028654f;
  for (std::size_t i = 0; i < n; ++i) {
    const float g = gate[i];
    out[i] = 0.5f * g * (1.0f + std::tanh(kSqrtTwoOverPi * (g + 0.044715f * g * g * g))) * up[i];
  }
}

// x[i] ← e^(x[i] - m), m = max x: the numerators of a softmax, with m and their sum.
Kernels::MaxAndSum exponentiate(float* x, std::size_t n) {
  const float max = *std::max_element(x, x + n);
  float sum = 0;
  for (std::size_t i = 0; i < n; ++i) {
    x[i] = std::exp(x[i] - max);
    sum += x[i];
  }
  return {max, sum};
}

#include "kernels/scalar/lanes.h"
#include "kernels/lanes/formats.h"
#include "kernels/lanes/linear.h"
namespace over_lanes {
#include "kernels/lanes/elementwise.h"
#include "kernels/lanes/attention.h"
#include "kernels/lanes/peaks.h"
}  // namespace over_lanes

Kernels make() {
  Kernels k{
      .name = "scalar",
      .dot = dot,
      .add_scaled = add_scaled,
      .scale = scale,
      .rms_norm = rms_norm,
      .rotate = rotate,
      .silu_gate = silu_gate,
      .gelu_gate = gelu_gate,
      .exponentiate = exponentiate,
      .add = nullptr,
      .quantize = nullptr,
      .round_to_f16 = nullptr,
      .round_to_q8 = nullptr,
      .round_to_bf16 = nullptr,
      .products = {},
      .attend = nullptr,
      .combine = nullptr,
      .peaks = {},
  };
  // What only the fast backend calls, over sixteen lanes that are sixteen floats.
  use_panels<Lanes>(k);
  over_lanes::use_attention<Lanes>(k);
  over_lanes::use_peaks<Lanes, 2, 4>(k);
  k.add = over_lanes::add<Lanes>;
  k.quantize = over_lanes::quantize<Lanes>;
  k.round_to_f16 = over_lanes::round_to_f16<Lanes>;
  k.round_to_q8 = over_lanes::round_to_q8<Lanes>;
  return k;
}

}  // namespace

const Kernels kernels = make();

}  // namespace rung::scalar
