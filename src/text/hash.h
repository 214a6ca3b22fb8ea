// A hash of short strings, for the tables that tokenizing lives in: eight bytes at a time, multiplied and folded.
#pragma once

#include <cstdint>
#include <cstring>
#include <string_view>

namespace rung {

inline std::uint64_t mix(std::uint64_t h) {
  h ^= h >> 32;
  h *= 0x9e3779b97f4a7c15u;  // 2^64 / golden ratio: consecutive values land far apart
  return h ^ h >> 29;
}

inline std::uint64_t hash_bytes(std::string_view text) {
  std::uint64_t h = text.size();
  const char* p = text.data();
  std::size_t left = text.size();
  for (; left >= 8; p += 8, left -= 8) {
    std::uint64_t word = 0;
    std::memcpy(&word, p, 8);
    h = mix(h ^ word);
  }
  std::uint64_t rest = 0;
  if (left >= 4) {
    std::uint32_t first = 0, last = 0;  // the two may overlap: together they are the 4 to 7 bytes
    std::memcpy(&first, p, 4);
    std::memcpy(&last, p + left - 4, 4);
    rest = std::uint64_t{first} << 32 | last;
  } else {
    for (std::size_t i = 0; i < left; ++i) rest = rest << 8 | static_cast<unsigned char>(p[i]);
  }
  return mix(h ^ rest);
}

}  // namespace rung
