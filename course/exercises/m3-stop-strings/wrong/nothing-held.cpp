// cause: nothing-held-back
// fails: by-hand
#include "learn.h"

std::uint32_t may_show(std::string_view held, std::string_view stop) {
  const std::size_t found = held.find(stop);
  return static_cast<std::uint32_t>(found == std::string_view::npos ? held.size() : found);
}
