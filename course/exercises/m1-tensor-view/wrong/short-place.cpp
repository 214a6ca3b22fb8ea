// cause: place-in-16-bits
// fails: pebble
#include "learn.h"

void read_row(std::span<float> out, std::span<const std::uint8_t> file, std::uint32_t begin, std::uint32_t row) {
  const std::uint16_t start = static_cast<std::uint16_t>(begin + 2 * row * out.size());
  for (std::size_t c = 0; c < out.size(); c++) {
    const std::uint32_t bits = file[start + 2 * c] | file[start + 2 * c + 1] << 8;
    out[c] = std::bit_cast<float>(bits << 16);
  }
}
