// What a tensor looks like in three numbers: `rung trace`, the page's pictures; and how far one is from another.
// Milestone M2.
#pragma once

#include <cmath>
#include <cstddef>
#include <span>

namespace rung {

struct Statistics {
  double min = INFINITY, max = -INFINITY;
  double rms = 0;  // √(mean(x²)): how loud
};

inline Statistics statistics(std::span<const float> values) {
  Statistics s;
  double squares = 0;
  for (const float value : values) {
    const auto v = static_cast<double>(value);
    s.min = v < s.min || std::isnan(v) ? v : s.min;  // one value that is no number shows in all three
    s.max = v > s.max || std::isnan(v) ? v : s.max;
    squares += v * v;
  }
  s.rms = values.empty() ? 0 : std::sqrt(squares / static_cast<double>(values.size()));
  return s;
}

// ‖ours − expected‖₂ / ‖expected‖₂: how far off a row is. 0 where they are equal, also where both are zero; infinite
// where a value is no number, or all that is expected is zero.
inline double relative_distance(std::span<const float> ours, std::span<const float> expected) {
  double off = 0, all = 0;
  for (std::size_t i = 0; i < expected.size(); ++i) {
    const double d = static_cast<double>(ours[i]) - static_cast<double>(expected[i]);
    off += d * d;
    all += static_cast<double>(expected[i]) * static_cast<double>(expected[i]);
  }
  if (off == 0) return 0;
  return std::isfinite(off) && all > 0 ? std::sqrt(off / all) : INFINITY;
}

}  // namespace rung
