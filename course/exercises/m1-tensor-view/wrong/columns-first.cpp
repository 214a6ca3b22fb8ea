// cause: rows-and-columns-exchanged
// fails: by-hand
#include "learn.h"

void read_row(std::span<float> out, std::span<const std::uint8_t> file, std::uint32_t begin, std::uint32_t row) {
  const std::size_t rows = (file.size() - begin) / 2 / out.size();
  for (std::size_t c = 0; c < out.size(); c++) {
    const std::size_t at = begin + 2 * (c * rows + row);
    const std::uint32_t bits = file[at] | file[at + 1] << 8;
    out[c] = std::bit_cast<float>(bits << 16);
  }
}
