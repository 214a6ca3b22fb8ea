// Milestone M1 has more exercises than one file should: where the others stand, and what several of them need.
#pragma once

#include <cstdint>
#include <span>
#include <string>
#include <string_view>
#include <vector>

#include "learn/exercise.h"
#include "tensor/weight.h"

namespace rung::learn {

// m1_blocks.cpp
namespace bf16_to_f32 {
Exercise exercise();
}
namespace tensor_view {
Exercise exercise();
}
namespace q8_0 {
Exercise exercise();
}
namespace q4_0 {
Exercise exercise();
}
// m1_gguf.cpp
namespace gguf_string {
Exercise exercise();
}
namespace gguf_array {
Exercise exercise();
}

// What is done at load to each row of a matrix: f(its place among the values, its number).
template <class F>
void each_row(const PackedMatrix& matrix, std::span<float> values, F f) {
  for (std::size_t r = 0; r < matrix.rows; ++r) f(values.subspan(r * matrix.columns, matrix.columns), r);
}

namespace files_of_m1 {

using Bytes = std::span<const std::uint8_t>;

inline constexpr const char* kHonestPage = "m1-weights#nobody-promises-that-the-file-is-honest";
inline constexpr const char* kWiden =
    "is each byte made 64 bits wide, a std::uint64_t, before it is shifted? A byte alone becomes an int, of 32 bits";

inline std::string_view text_of(Bytes bytes) { return {reinterpret_cast<const char*>(bytes.data()), bytes.size()}; }
inline std::vector<std::uint8_t> bytes_in(std::string_view text) { return {text.begin(), text.end()}; }

// Numbers as both formats have them, lowest byte first.
inline std::string number_bytes(std::uint64_t value, int bytes) {
  std::string out;
  for (int i = 0; i < bytes; ++i) out += static_cast<char>(value >> 8 * i & 0xff);
  return out;
}
inline std::uint64_t number_in(Bytes bytes) {  // of at most eight
  std::uint64_t value = 0;
  for (std::size_t i = 0; i < bytes.size(); ++i) value |= std::uint64_t{bytes[i]} << 8 * i;
  return value;
}

// `n += bytes[i] << 8 * i`: the byte becomes an int, of 32 bits. To shift that by 32 and more is undefined; processors
// take the count modulo 32, as here.
inline std::uint64_t number_of_ints(Bytes bytes) {
  std::uint64_t value = 0;
  for (std::size_t i = 0; i < bytes.size(); ++i) {
    const std::uint32_t shifted = std::uint32_t{bytes[i]} << 8 * (i % 4);
    value += static_cast<std::uint64_t>(std::int64_t{static_cast<std::int32_t>(shifted)});
  }
  return value;
}

inline std::string random_word(Random& random, std::size_t most) {
  std::string word(whole(random, 0, most), ' ');
  for (char& letter : word) letter = static_cast<char>('a' + whole(random, 0, 25));
  return word;
}

}  // namespace files_of_m1

}  // namespace rung::learn
