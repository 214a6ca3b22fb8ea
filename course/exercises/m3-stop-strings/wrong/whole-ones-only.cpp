// cause: nothing-held-back
// fails: by-hand
#include "learn.h"

std::uint32_t may_show(std::string_view held, std::string_view stop) {
  return static_cast<std::uint32_t>(std::min(held.find(stop), held.size()));
}
