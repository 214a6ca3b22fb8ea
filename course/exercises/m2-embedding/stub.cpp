#include "learn.h"

// ids: [T], table: [vocabulary, width]
// → out: [T, width]
// Row t of out is row ids[t] of the table.
void embed(std::span<float> out, std::span<const std::int32_t> ids, std::span<const float> table, std::size_t width) {
  not_yet("embed");
}
