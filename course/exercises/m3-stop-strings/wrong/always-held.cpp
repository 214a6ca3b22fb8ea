// cause: always-held-back
// fails: by-hand
#include "learn.h"

std::uint32_t may_show(std::string_view held, std::string_view stop) {
  const std::size_t found = held.find(stop);
  if (found != std::string_view::npos) return static_cast<std::uint32_t>(found);
  const std::size_t wait = stop.size() - 1;
  return static_cast<std::uint32_t>(held.size() > wait ? held.size() - wait : 0);
}
