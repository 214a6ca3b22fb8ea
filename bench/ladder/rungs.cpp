// The rungs in their order.
#include <array>

#include "ladder.h"

namespace ladder {

std::span<const Rung> rungs() {
  static const std::array kRungs{naive, vectors, tiles, bytes, integers, panels, threads};
  return kRungs;
}

}  // namespace ladder
