#include "learn.h"

// file: any bytes; from byte `begin` on a matrix of bf16, row after row, lowest byte first.
// out[columns]: the numbers of row `row`.
void read_row(std::span<float> out, std::span<const std::uint8_t> file, std::uint32_t begin, std::uint32_t row) {
  const std::size_t columns = out.size();
  const std::size_t row_begin = begin + row * columns * 2;
  for (std::size_t c = 0; c < columns; ++c) {
    const std::uint32_t low = file[row_begin + 2 * c], high = file[row_begin + 2 * c + 1];
    out[c] = std::bit_cast<float>(high << 24 | low << 16);
  }
}
