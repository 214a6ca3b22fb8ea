// cause: row-forgotten
// fails: by-hand
#include "learn.h"

void read_row(std::span<float> out, std::span<const std::uint8_t> file, std::uint32_t begin, std::uint32_t) {
  const std::uint8_t* at = file.data() + begin;
  for (float& value : out) {
    value = std::bit_cast<float>(static_cast<std::uint32_t>(at[1]) << 24 | static_cast<std::uint32_t>(at[0]) << 16);
    at += 2;
  }
}
