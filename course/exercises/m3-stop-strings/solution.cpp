#include "learn.h"

// held: text not yet shown.  stop: not empty.  Result: how many bytes of held, from the first on, may be shown now.
std::uint32_t may_show(std::string_view held, std::string_view stop) {
  const std::size_t found = held.find(stop);
  if (found != std::string_view::npos) return static_cast<std::uint32_t>(found);
  std::size_t waits = std::min(held.size(), stop.size() - 1);
  while (held.substr(held.size() - waits) != stop.substr(0, waits)) --waits;  // ends at 0: nothing equals nothing
  return static_cast<std::uint32_t>(held.size() - waits);
}
