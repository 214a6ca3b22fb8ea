// cause: shortest-end
// fails: by-hand
#include "learn.h"

std::uint32_t may_show(std::string_view held, std::string_view stop) {
  const std::size_t found = held.find(stop);
  if (found != std::string_view::npos) return static_cast<std::uint32_t>(found);
  for (std::size_t n = 1; n < stop.size() && n <= held.size(); n++) {
    if (held.substr(held.size() - n) == stop.substr(0, n)) return static_cast<std::uint32_t>(held.size() - n);
  }
  return static_cast<std::uint32_t>(held.size());
}
