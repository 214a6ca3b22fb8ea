// The clock that stands still while templates are rendered for comparison; tools/goldens/templates.py and
// tools/fuzz_templates.py stop theirs at the same second.
#pragma once

#include <ctime>

namespace rung {

inline std::tm golden_clock() {  // Saturday, 2026-07-04 15:06:07
  std::tm now{};
  now.tm_year = 126;
  now.tm_mon = 6;
  now.tm_mday = 4;
  now.tm_hour = 15;
  now.tm_min = 6;
  now.tm_sec = 7;
  now.tm_wday = 6;
  now.tm_yday = 184;
  return now;
}

}  // namespace rung
