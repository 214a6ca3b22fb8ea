// cause: short-shown
// fails: by-hand
#include "learn.h"

std::uint32_t may_show(std::string_view held, std::string_view stop) {
  const std::size_t found = held.find(stop);
  if (found != std::string_view::npos) return static_cast<std::uint32_t>(found);
  for (std::size_t at = held.size() - stop.size() + 1; at < held.size(); at++) {
    if (stop.substr(0, held.size() - at) == held.substr(at)) return static_cast<std::uint32_t>(at);
  }
  return static_cast<std::uint32_t>(held.size());
}
