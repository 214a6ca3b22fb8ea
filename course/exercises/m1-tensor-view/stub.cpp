#include "learn.h"

// file: any bytes; from byte `begin` on a matrix of bf16, row after row, lowest byte first.
// out[columns]: the numbers of row `row`.
void read_row(std::span<float> out, std::span<const std::uint8_t> file, std::uint32_t begin, std::uint32_t row) {
  not_yet("read_row");
}
