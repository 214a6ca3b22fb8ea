// What a tensor looks like in three numbers: `rung trace`, the page's pictures.  Milestone M2.
#pragma once

#include <cmath>
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

}  // namespace rung
