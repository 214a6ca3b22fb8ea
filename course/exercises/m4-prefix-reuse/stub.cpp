#include "learn.h"

// kept: the tokens whose keys and values are in the cache; wanted: those of the new prompt, at least one.
// How many of them, from the beginning, need not be computed again? The last of `wanted` always must be.
std::size_t reuse(std::span<const std::int32_t> kept, std::span<const std::int32_t> wanted) {
  not_yet("reuse");
  return 0;
}
