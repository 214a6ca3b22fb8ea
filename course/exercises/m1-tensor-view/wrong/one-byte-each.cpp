// cause: one-byte-a-number
// fails: by-hand
#include "learn.h"

void read_row(std::span<float> out, std::span<const std::uint8_t> file, std::uint32_t begin, std::uint32_t row) {
  for (std::size_t c = 0; c < out.size(); c++) {
    const std::size_t at = begin + row * out.size() + c;
    const std::uint32_t bits = file[at] | file[at + 1] << 8;
    out[c] = std::bit_cast<float>(bits << 16);
  }
}
