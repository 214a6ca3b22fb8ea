// n values → the few numbers that stand for them: scale (and shift) with a small Σ weight·(value − scale·code −
// shift)².  Milestone M5.
//
// Codes and line depend on each other: for given codes the best line is a least-squares fit, for a given line the best
// codes are the nearest ones. Each step alone can only lessen the error; from several beginnings, the best end is kept.
// (Lloyd 1982, "Least squares quantization in PCM")
#pragma once

#include <array>
#include <cmath>
#include <cstddef>
#include <cstring>
#include <limits>

#include "base/half.h"

namespace rung::search {

// Four floats, one register wherever there are any. GCC and clang know such types; operators work lane by lane.
using Four = float __attribute__((vector_size(16)));

inline Four load(const float* p) {
  Four v;
  std::memcpy(&v, p, sizeof v);
  return v;
}

inline float sum(const Four& v) { return (v[0] + v[2]) + (v[1] + v[3]); }

// Codes from `low` to `high`, kept as floats while they are searched for.
struct Range {
  float low, high;
  bool as_f16 = false;  // scale and shift will be stored as f16: what counts is the error that they have then
};

template <std::size_t n>
using Codes = std::array<float, n>;

struct Line {
  float scale = 0, shift = 0;
};

inline Line stored(const Line& line, const Range& range) {
  return range.as_f16 ? Line{to_f32(to_f16(line.scale)), to_f32(to_f16(line.shift))} : line;
}

template <std::size_t n>
void nearest_codes(Codes<n>& codes, const float* x, const Line& line, const Range& range) {
  // 1.5·2^23: a float of that size has no places behind the point, so that adding it rounds
  constexpr float kRound = 12582912.0f;
  const float inverted = 1.0f / line.scale, inverse = std::isfinite(inverted) ? inverted : 0.0f;
  for (std::size_t i = 0; i < n; ++i) {
    float v = (x[i] - line.shift) * inverse;
    v = v < range.high ? v : range.high;
    v = v > range.low ? v : range.low;
    codes[i] = (v + kRound) - kRound;
  }
}

template <std::size_t n>
float error(const Codes<n>& codes, const float* x, const float* weights, const Line& line) {
  Four total{};
  for (std::size_t i = 0; i < n; i += 4) {
    const Four off = load(x + i) - line.scale * load(codes.data() + i) - line.shift;
    total += load(weights + i) * off * off;
  }
  return sum(total);
}

// What least squares needs of the codes: Σ weight·code, Σ weight·code², Σ weight·code·value.
struct Moments {
  float code = 0, square = 0, product = 0;
};

template <std::size_t n>
Moments moments(const Codes<n>& codes, const float* x, const float* weights) {
  Four code{}, square{}, product{};
  for (std::size_t i = 0; i < n; i += 4) {
    const Four c = load(codes.data() + i), weighted = load(weights + i) * c;
    code += weighted;
    square += weighted * c;
    product += weighted * load(x + i);
  }
  return {sum(code), sum(square), sum(product)};
}

// A line through zero: value ≈ scale·code.
template <std::size_t n>
struct Scaled {
  Codes<n> codes{};
  Line line;
  float error = std::numeric_limits<float>::infinity();
};

template <std::size_t n>
void try_scale(Scaled<n>& best, const float* x, const float* weights, float scale, const Range& range, int steps) {
  Codes<n> codes;
  for (Line line{scale}; steps-- > 0;) {
    nearest_codes<n>(codes, x, line, range);
    const Moments m = moments<n>(codes, x, weights);
    if (!(m.square > 0)) return;
    line = stored({m.product / m.square}, range);
    const float off = error<n>(codes, x, weights, line);
    if (off < best.error) best = {codes, line, off};
  }
}

template <std::size_t n>
float farthest(const float* x) {
  float most = 0;
  for (std::size_t i = 0; i < n; ++i) {
    if (std::fabs(x[i]) > std::fabs(most)) most = x[i];
  }
  return most;
}

// Begins with the farthest value on the longer side of the range, somewhat beyond it, somewhat inside; then on the
// other side.
template <std::size_t n>
Scaled<n> best_scale(const float* x, const float* weights, const Range& range) {
  Scaled<n> best;
  best.error = error<n>(best.codes, x, weights, {});
  const float most = farthest<n>(x);
  if (most == 0) return best;
  for (int step = -6; step <= 6; ++step) {
    try_scale<n>(best, x, weights, most / (range.low - 0.15f * static_cast<float>(step)), range, 2);
  }
  for (int step = -2; step <= 2; ++step) {
    try_scale<n>(best, x, weights, most / (range.high + 0.3f * static_cast<float>(step)), range, 2);
  }
  return best;
}

// value ≈ scale·code + shift, the code from 0, the shift not above `highest_shift`.
template <std::size_t n>
struct Shifted {
  Codes<n> codes{};
  Line line;
  float error = std::numeric_limits<float>::infinity();
};

// Σ weight and Σ weight·value, which no code changes.
struct Totals {
  float weight = 0, value = 0;
};

template <std::size_t n>
Totals totals(const float* x, const float* weights) {
  Four weight{}, value{};
  for (std::size_t i = 0; i < n; i += 4) {
    weight += load(weights + i);
    value += load(weights + i) * load(x + i);
  }
  return {sum(weight), sum(value)};
}

// The best line for these codes whose shift is not above `highest`. Codes all the same say nothing about the shift: it
// stays `before`.
inline Line fit(const Moments& m, const Totals& t, float before, float highest) {
  const double weight = t.weight, code = m.code, square = m.square, determinant = weight * square - code * code;
  double shift = before;
  if (determinant > 1e-6 * weight * square) shift = (square * t.value - code * m.product) / determinant;
  shift = shift < highest ? shift : highest;
  return {static_cast<float>((m.product - shift * code) / square), static_cast<float>(shift)};
}

template <std::size_t n>
void try_line(Shifted<n>& best, const float* x, const float* weights, const Totals& t, Line line, const Range& range,
              float highest_shift, int steps) {
  Codes<n> codes;
  while (steps-- > 0) {
    nearest_codes<n>(codes, x, line, range);
    line = stored(fit(moments<n>(codes, x, weights), t, line.shift, highest_shift), range);
    if (!(line.scale > 0)) return;
    const float off = error<n>(codes, x, weights, line);
    if (off < best.error) best = {codes, line, off};
  }
}

template <std::size_t n>
Shifted<n> best_line(const float* x, const float* weights, const Range& range, float highest_shift) {
  float least = x[0], most = x[0];
  for (std::size_t i = 1; i < n; ++i) {
    least = x[i] < least ? x[i] : least;
    most = x[i] > most ? x[i] : most;
  }
  least = least < highest_shift ? least : highest_shift;
  const Totals t = totals<n>(x, weights);
  Shifted<n> best;
  best.line = stored({0, least}, range);
  best.error = error<n>(best.codes, x, weights, best.line);
  if (!(most > least)) return best;
  // From the whole span down: leaving out the outermost values often costs less than the coarser steps that they would
  // need.
  for (int step = 0; step <= 9; ++step) {
    const float steps = range.high - 0.9f + 0.25f * static_cast<float>(step);
    try_line<n>(best, x, weights, t, {(most - least) / steps, least}, range, highest_shift, 2);
  }
  return best;
}

}  // namespace rung::search
