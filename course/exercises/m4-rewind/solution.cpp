#include "learn.h"

// keys, values: [room, width], of which `used` rows are kept. Forgets the rows from `length` on, which become zeros.
// Gives back how many rows are kept then.
std::size_t rewind_cache(std::span<float> keys, std::span<float> values, std::size_t width, std::size_t used,
                         std::size_t length) {
  if (length >= used) return used;
  for (std::size_t i = length * width; i < used * width; ++i) {
    keys[i] = 0;
    values[i] = 0;
  }
  return length;
}
