// cause: highest-byte-first
// fails: by-hand
#include "learn.h"

void read_row(std::span<float> out, std::span<const std::uint8_t> file, std::uint32_t begin, std::uint32_t row) {
  for (std::size_t c = 0; c < out.size(); c++) {
    const std::size_t at = begin + 2 * (row * out.size() + c);
    const std::uint32_t bits = static_cast<std::uint32_t>(file[at]) << 8 | file[at + 1];
    out[c] = std::bit_cast<float>(bits << 16);
  }
}
