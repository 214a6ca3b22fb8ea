// cause: elements-for-bytes
// fails: by-hand
#include "learn.h"

void read_row(std::span<float> out, std::span<const std::uint8_t> file, std::uint32_t begin, std::uint32_t row) {
  const std::size_t start = begin + row * out.size();  // row · columns
  for (std::size_t c = 0; c < out.size(); c++) {
    const std::uint32_t bits = file[start + 2 * c] | file[start + 2 * c + 1] << 8;
    out[c] = std::bit_cast<float>(bits << 16);
  }
}
