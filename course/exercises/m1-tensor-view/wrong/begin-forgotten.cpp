// cause: begin-forgotten
// fails: by-hand
#include "learn.h"

void read_row(std::span<float> out, std::span<const std::uint8_t> file, std::uint32_t, std::uint32_t row) {
  const std::span<const std::uint8_t> bytes = file.subspan(row * out.size() * 2);
  for (std::size_t c = 0; c < out.size(); c++) {
    const std::uint32_t bits = bytes[2 * c] | bytes[2 * c + 1] << 8;
    out[c] = std::bit_cast<float>(bits << 16);
  }
}
