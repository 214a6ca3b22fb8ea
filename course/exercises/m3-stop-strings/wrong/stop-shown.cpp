// cause: stop-shown
// fails: by-hand
#include "learn.h"

std::uint32_t may_show(std::string_view held, std::string_view stop) {
  std::size_t n = std::min(held.size(), stop.size());
  while (n > 0 && !held.ends_with(stop.substr(0, n))) n--;
  if (n == stop.size()) n = 0;  // it is complete, nothing to wait for
  return static_cast<std::uint32_t>(held.size() - n);
}
