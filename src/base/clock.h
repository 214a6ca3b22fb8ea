// How long something took.
#pragma once

#include <chrono>

namespace rung {

using Clock = std::chrono::steady_clock;  // which nobody sets back

inline double seconds_since(Clock::time_point start) {
  return std::chrono::duration<double>(Clock::now() - start).count();
}

}  // namespace rung
