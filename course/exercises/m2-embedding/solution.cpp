#include "learn.h"

// ids: [T], table: [vocabulary, width]
// → out: [T, width]
// Row t of out is row ids[t] of the table.
void embed(std::span<float> out, std::span<const std::int32_t> ids, std::span<const float> table, std::size_t width) {
  for (std::size_t t = 0; t < ids.size(); ++t) {
    const std::size_t row = static_cast<std::size_t>(ids[t]);
    for (std::size_t i = 0; i < width; ++i) out[t * width + i] = table[row * width + i];
  }
}
