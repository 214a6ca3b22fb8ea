// The exercises of milestone M1 about a matrix's bytes: what must come out, the classic mistakes, the place in the
// engine.
#include "learn/m1_parts.h"

#include <algorithm>
#include <bit>
#include <cstring>
#include <utility>

#include "base/half.h"
#include "learn/seams.h"
#include "tensor/blocks.h"
#include "tensor/encode.h"

namespace rung::learn {

namespace blocks_of_m1 {
namespace {

using Floats = std::span<float>;
using Bytes = std::span<const std::uint8_t>;

constexpr const char* kBitsPage = "m1-weights#bits-of-a-number";
constexpr const char* kViewPage = "m1-weights#without-reading-it";
constexpr const char* kQ8Page = "learnings/a-quantised-block";
constexpr const char* kQ4Page = "m5-quantization#a-real-one";

float float_of(std::uint32_t bits) { return std::bit_cast<float>(bits); }
std::uint16_t u16_of(std::uint8_t low, std::uint8_t high) { return static_cast<std::uint16_t>(low | high << 8); }

std::vector<std::uint8_t> random_bytes(Random& random, std::size_t n) {
  std::vector<std::uint8_t> bytes(n);
  for (std::uint8_t& byte : bytes) byte = static_cast<std::uint8_t>(whole(random, 0, 255));
  return bytes;
}

}  // namespace
}  // namespace blocks_of_m1

// ---- m1-bf16: the bits of bf16 numbers → floats ----
namespace bf16_to_f32 {
using namespace blocks_of_m1;
namespace {

using In = std::span<const std::uint16_t>;

template <class F>
void each(Floats out, In in, F f) {
  for (std::size_t i = 0; i < in.size(); ++i) out[i] = f(in[i]);
}
void reference(Floats out, In in) {
  each(out, in, [](std::uint16_t bits) { return to_f32(bf16{bits}); });
}
void number_not_bits(Floats out, In in) {
  each(out, in, [](std::uint16_t bits) { return static_cast<float>(std::uint32_t{bits} << 16); });
}
void signed_number(Floats out, In in) {  // as `in[i] << 16` is: an int
  each(out, in,
       [](std::uint16_t bits) { return static_cast<float>(static_cast<std::int32_t>(std::uint32_t{bits} << 16)); });
}
void number_unshifted(Floats out, In in) {
  each(out, in, [](std::uint16_t bits) { return static_cast<float>(bits); });
}
void lower_half(Floats out, In in) {
  each(out, in, [](std::uint16_t bits) { return float_of(bits); });
}
void bytes_swapped(Floats out, In in) {
  each(out, in,
       [](std::uint16_t bits) { return float_of(std::uint32_t{bits} << 24 | std::uint32_t{bits} >> 8 << 16); });
}
void read_as_f16(Floats out, In in) {
  each(out, in, [](std::uint16_t bits) { return to_f32(f16{bits}); });
}

std::vector<Argument> arguments(std::vector<std::uint16_t> in) {
  const std::size_t n = in.size();
  return {output("out", n), {"in", std::move(in)}};
}

std::vector<Case> by_hand() {
  return {{.title = "pebble's first two query weights",
           .arguments = arguments({0xbde8, 0xbf0a}),
           .expected = {{std::vector<float>{-0.11328125f, -0.5390625f}}},
           .arithmetic = "48616 is hexadecimal bde8: 1 01111011 1101000\nwith 16 zeros behind it, bde80000:\nnegative; "
                         "2 to the power of 123 − 127 = −4; 1.8125\n−1.8125 / 16 = −0.11328125\n48906 is bf0a: 1 "
                         "01111110 0001010: −1.078125 / 2"},
          {.title = "one, two and nothing",
           .arguments = arguments({0x3f80, 0x4000, 0}),
           .expected = {{std::vector<float>{1, 2, 0}}},
           .arithmetic = "3f80 → 3f800000 is 1\n4000 → 40000000 is 2\n0 → 0"}};
}

std::vector<Argument> random(Random& random) {
  std::vector<std::uint16_t> bits;
  for (const float value : floats(random, whole(random, 1, 64))) bits.push_back(to_bf16(value).bits);
  return arguments(std::move(bits));
}

void place(Seams& seams, LearnerFunction f) {
  seams.load = [f](const LoadedModel&, const PackedMatrix& matrix, Floats values) {
    if (matrix.dtype != DType::bf16) return;
    std::vector<std::uint16_t> bits(matrix.columns);  // a copy: a file promises no even addresses
    each_row(matrix, values, [&](Floats row, std::size_t r) {
      std::memcpy(bits.data(), matrix.row(r), 2 * bits.size());
      call(f, row, bits);
    });
  };
}

Race race() {
  Random random(1);
  std::vector<std::uint16_t> bits;
  for (const float value : floats(random, 4096)) bits.push_back(to_bf16(value).bits);
  return {.arguments = arguments(std::move(bits)),
          .operations = 0,
          .rivals = {{"Rung's, number by number", function<reference>}}};
}

}  // namespace

Exercise exercise() {
  return {.name = "m1-bf16",
          .reference = learn::reference<reference>(),
          .by_hand = by_hand,
          .random = random,
          .tolerance = 0,
          .mistakes = {{"lower-half", "the bits are in the lower half of the float: move them up by 16", kBitsPage,
                        function<lower_half>},
                       {"number-not-bits",
                        "the bits were converted as a number: use std::bit_cast<float>, of a std::uint32_t", kBitsPage,
                        function<number_not_bits>},
                       {"number-not-bits",
                        "the bits were converted as a number: use std::bit_cast<float>, of a std::uint32_t", kBitsPage,
                        function<signed_number>},
                       {"number-unshifted",
                        "in[i] is converted as a number: move its bits up by 16, and read them with std::bit_cast",
                        kBitsPage, function<number_unshifted>},
                       {"bytes-swapped", "the two bytes of in[i] are exchanged: it has its bits in order already",
                        kBitsPage, function<bytes_swapped>},
                       {"read-as-f16", "read as f16, with five bits of exponent: a bf16 has eight", kBitsPage,
                        function<read_as_f16>}},
          .place = place,
          .race = race};
}

}  // namespace bf16_to_f32

// ---- m1-tensor-view: a row of a matrix of bf16 that lies somewhere among bytes ----
namespace tensor_view {
using namespace blocks_of_m1;
namespace {

void reference(Floats out, Bytes file, std::uint32_t begin, std::uint32_t row) {
  const std::size_t at = begin + row * row_bytes(DType::bf16, out.size());
  decode_row(out, DType::bf16, reinterpret_cast<const std::byte*>(file.data()) + at);
}

// The numbers that lie where `place` says for each column: at its byte.
template <class Place>
void numbers_at(Floats out, Bytes file, Place place) {
  for (std::size_t c = 0; c < out.size(); ++c) {
    const std::size_t at = place(c);
    out[c] = to_f32(bf16{u16_of(file[at], file[at + 1])});
  }
}
void elements_for_bytes(Floats out, Bytes file, std::uint32_t begin, std::uint32_t row) {
  numbers_at(out, file, [&](std::size_t c) { return begin + row * out.size() + 2 * c; });
}
void one_byte_a_number(Floats out, Bytes file, std::uint32_t begin, std::uint32_t row) {
  numbers_at(out, file, [&](std::size_t c) { return begin + row * out.size() + c; });
}
void rows_and_columns_exchanged(Floats out, Bytes file, std::uint32_t begin, std::uint32_t row) {
  const std::size_t rows = (file.size() - begin) / 2 / std::max<std::size_t>(out.size(), 1);
  numbers_at(out, file, [&](std::size_t c) { return begin + 2 * (c * rows + row); });
}
void begin_forgotten(Floats out, Bytes file, std::uint32_t, std::uint32_t row) {
  numbers_at(out, file, [&](std::size_t c) { return 2 * (row * out.size() + c); });
}
void row_forgotten(Floats out, Bytes file, std::uint32_t begin, std::uint32_t) {
  numbers_at(out, file, [&](std::size_t c) { return begin + 2 * c; });
}
void place_in_16_bits(Floats out, Bytes file, std::uint32_t begin, std::uint32_t row) {
  const auto row_begin = static_cast<std::uint16_t>(begin + 2 * row * out.size());
  numbers_at(out, file, [&](std::size_t c) { return row_begin + 2 * c; });
}
void highest_byte_first(Floats out, Bytes file, std::uint32_t begin, std::uint32_t row) {
  for (std::size_t c = 0; c < out.size(); ++c) {
    const std::size_t at = begin + 2 * (row * out.size() + c);
    out[c] = to_f32(bf16{u16_of(file[at + 1], file[at])});
  }
}

std::vector<Argument> arguments(std::size_t columns, std::vector<std::uint8_t> file, std::size_t begin,
                                std::size_t row) {
  return {output("out", columns),
          {"file", std::move(file)},
          {"begin", static_cast<double>(begin)},
          {"row", static_cast<double>(row)}};
}

std::vector<Case> by_hand() {
  const std::vector<std::uint8_t> file = {0x7b, 0x7d, 0x0a, 0x80, 0x3f, 0x00, 0x40, 0x40,
                                          0x40, 0x80, 0x40, 0xa0, 0x40, 0xc0, 0x40};
  return {{.title = "row 1 of 3 rows and 2 columns, from byte 3 on",
           .arguments = arguments(2, file, 3, 1),
           .expected = {{std::vector<float>{3, 4}}},
           .arithmetic = "3 + 2 · (1 · 2 + 0) = 7: the bytes 40 40, so 4040: 3\n3 + 2 · (1 · 2 + 1) = 9: the bytes 80 "
                         "40, so 4080: 4"},
          {.title = "row 0",
           .arguments = arguments(2, file, 3, 0),
           .expected = {{std::vector<float>{1, 2}}},
           .arithmetic = "3 + 2 · (0 · 2 + 0) = 3: the bytes 80 3f, so 3f80: 1\n5: the bytes 00 40, so 4000: 2"},
          {.title = "the same bytes as 2 rows of 3 columns: row 1",
           .arguments = arguments(3, file, 3, 1),
           .expected = {{std::vector<float>{4, 5, 6}}},
           .arithmetic = "3 + 2 · (1 · 3 + 0) = 9: 80 40 is 4\n11: a0 40 is 5\n13: c0 40 is 6"}};
}

std::vector<Argument> random(Random& random) {
  const std::size_t rows = whole(random, 1, 6), columns = whole(random, 1, 8), begin = whole(random, 0, 9);
  std::vector<std::uint8_t> file = random_bytes(random, begin);
  for (const float value : floats(random, rows * columns)) {
    const std::uint16_t bits = to_bf16(value).bits;
    file.push_back(static_cast<std::uint8_t>(bits & 0xff));
    file.push_back(static_cast<std::uint8_t>(bits >> 8));
  }
  const std::size_t row = whole(random, 0, rows - 1);
  return arguments(columns, std::move(file), begin, row);
}

// All bytes of tensors in the file that `inside` lies in.
Bytes bytes_around(const LoadedModel& model, const std::byte* inside) {
  const TensorMap& tensors = model.files().tensors();
  const auto it = std::find_if(tensors.begin(), tensors.end(), [&](const auto& named) {
    const std::span<const std::byte> bytes = named.second.bytes;
    return std::less_equal<>()(bytes.data(), inside) && std::less<>()(inside, bytes.data() + bytes.size());
  });
  const std::byte *first = inside, *end = inside;
  for (const auto& [name, tensor] : tensors) {
    if (it == tensors.end() || tensor.file != it->second.file) continue;
    first = std::min(first, tensor.bytes.data(), std::less<>());
    end = std::max(end, tensor.bytes.data() + tensor.bytes.size(), std::less<>());
  }
  return {reinterpret_cast<const std::uint8_t*>(first), static_cast<std::size_t>(end - first)};
}

void place(Seams& seams, LearnerFunction f) {
  seams.load = [f](const LoadedModel& model, const PackedMatrix& matrix, Floats values) {
    if (matrix.dtype != DType::bf16) return;
    const Bytes file = bytes_around(model, matrix.data);
    const auto begin = static_cast<std::size_t>(matrix.data - reinterpret_cast<const std::byte*>(file.data()));
    if (begin > std::numeric_limits<std::uint32_t>::max()) return;
    each_row(matrix, values, [&](Floats row, std::size_t r) { call(f, row, file, begin, matrix.row_in_file(r)); });
  };
}

}  // namespace

Exercise exercise() {
  return {.name = "m1-tensor-view",
          .reference = learn::reference<reference>(),
          .by_hand = by_hand,
          .random = random,
          .tolerance = 0,
          .mistakes = {{"elements-for-bytes", "the row is counted in numbers, not in bytes: each number takes two",
                        kViewPage, function<elements_for_bytes>},
                       {"one-byte-a-number",
                        "the place is counted in numbers, not in bytes: each number takes two, so 2 · (row · columns + "
                        "c) lie between `begin` and number c of the row",
                        kViewPage, function<one_byte_a_number>},
                       {"rows-and-columns-exchanged",
                        "a column was read for a row: the numbers of a row lie side by side, number c of row r at r · "
                        "columns + c",
                        "m1-weights#names-with-axes", function<rows_and_columns_exchanged>},
                       {"begin-forgotten", "the matrix begins at byte `begin`, not at the file's first byte", kViewPage,
                        function<begin_forgotten>},
                       {"row-forgotten", "it is always row 0: `row` rows of 2 · columns bytes come before yours",
                        kViewPage, function<row_forgotten>},
                       {"place-in-16-bits",
                        "a place in the file does not fit into 16 bits, which end at 65,535: use std::size_t",
                        kViewPage, function<place_in_16_bits>},
                       {"highest-byte-first", "the two bytes of a number are exchanged: the lower one comes first",
                        kViewPage, function<highest_byte_first>}},
          .place = place};
}

}  // namespace tensor_view

// ---- Blocks: what m1-q8-0 and m1-q4-0 have in common ----
namespace blocks_of_m1 {
namespace {

float scale_of(Bytes block) { return to_f32(f16{u16_of(block[0], block[1])}); }

std::vector<Argument> block_arguments(std::vector<std::uint8_t> block) {
  return {output("out", 32), {"block", std::move(block)}};
}

// A block of numbers that a model may have.
std::vector<Argument> random_block(Random& random, DType type) {
  std::vector<std::uint8_t> block(row_bytes(type, 32));
  encode_row(reinterpret_cast<std::byte*>(block.data()), type, floats(random, 32, 0.1));
  return block_arguments(std::move(block));
}

// The model as if its file were of that type: each row is packed by Rung and unpacked by the learner.
void place_blocks(Seams& seams, DType type, LearnerFunction f) {
  seams.load = [type, f](const LoadedModel&, const PackedMatrix& matrix, Floats values) {
    if (matrix.columns % 32 != 0) return;
    std::vector<std::uint8_t> row(row_bytes(type, matrix.columns));
    const std::size_t block_bytes = row_bytes(type, 32);
    each_row(matrix, values, [&](Floats into, std::size_t) {
      encode_row(reinterpret_cast<std::byte*>(row.data()), type, into);
      for (std::size_t b = 0; b < matrix.columns / 32; ++b) {
        call(f, into.subspan(32 * b, 32), Bytes(row).subspan(b * block_bytes, block_bytes));
      }
    });
  };
}

}  // namespace
}  // namespace blocks_of_m1

// ---- m1-q8-0: 34 bytes → 32 numbers, scale · code ----
namespace q8_0 {
using namespace blocks_of_m1;
namespace {

void reference(Floats out, Bytes block) {
  decode_row(out, DType::q8_0, reinterpret_cast<const std::byte*>(block.data()));
}
void scaled(Floats out, Bytes codes, float scale) {
  for (std::size_t i = 0; i < 32; ++i) out[i] = scale * static_cast<float>(static_cast<std::int8_t>(codes[i]));
}
void codes_without_sign(Floats out, Bytes block) {
  for (std::size_t i = 0; i < 32; ++i) out[i] = scale_of(block) * static_cast<float>(block[2 + i]);
}
void codes_from_128(Floats out, Bytes block) {
  for (std::size_t i = 0; i < 32; ++i) out[i] = scale_of(block) * static_cast<float>(block[2 + i] - 128);
}
void highest_byte_first(Floats out, Bytes block) {
  scaled(out, block.subspan(2), to_f32(f16{u16_of(block[1], block[0])}));
}
void scale_behind_codes(Floats out, Bytes block) { scaled(out, block, scale_of(block.subspan(32))); }
void scale_read_as_bf16(Floats out, Bytes block) {
  scaled(out, block.subspan(2), to_f32(bf16{u16_of(block[0], block[1])}));
}
void without_scale(Floats out, Bytes block) { scaled(out, block.subspan(2), 1); }

// 32 numbers that begin with these.
std::vector<float> then_zeros(std::vector<float> numbers) {
  numbers.resize(32);
  return numbers;
}
std::vector<std::uint8_t> block_of(std::vector<std::uint8_t> bytes) {
  bytes.resize(34);
  return bytes;
}

std::vector<Case> by_hand() {
  return {
      {.title = "a scale of 0.5",
       .arguments = block_arguments(block_of({0x00, 0x38, 0x01, 0x02, 0xff, 0x80, 0x7f})),
       .expected = {{then_zeros({0.5f, 1, -0.5f, -64, 63.5f})}},
       .arithmetic = "00 38, so 3800: as an f16, 0.5\n01: 1 · 0.5 = 0.5\n02: 2 · 0.5 = 1\nff: 255 − 256 = −1, · 0.5 = "
                     "−0.5\n80: 128 − 256 = −128, · 0.5 = −64\n7f: 127 · 0.5 = 63.5\nthe others: 0"},
      {.title = "the beginning of pebble's first block",
       .arguments = block_arguments(block_of({0x59, 0x1c, 0xe5, 0x81, 0x01})),
       .expected = {{then_zeros({-0.11463547f, -0.53921127f, 0.0042457581f})}},
       .arithmetic =
           "59 1c, so 1c59: 0 00111 0001011001; 2 to the power of 7 − 15 = −8, times 1 + 89/1024: 0.00424576\ne5: "
           "229 − 256 = −27, · 0.00424576 = −0.114635\n81: 129 − 256 = −127: −0.539211\n01: 0.00424576"}};
}

std::vector<Argument> random(Random& random) { return random_block(random, DType::q8_0); }
void place(Seams& seams, LearnerFunction f) { place_blocks(seams, DType::q8_0, f); }

}  // namespace

Exercise exercise() {
  return {
      .name = "m1-q8-0",
      .reference = learn::reference<reference>(),
      .by_hand = by_hand,
      .random = random,
      .tolerance = 1e-7,
      .mistakes = {{"codes-without-sign",
                    "codes above 127 stand for negative numbers: read each as std::int8_t, not as std::uint8_t",
                    kQ8Page, function<codes_without_sign>},
                   {"codes-from-128", "128 is taken away from each code: they have a sign of their own, std::int8_t",
                    kQ8Page, function<codes_from_128>},
                   {"without-scale", "the codes are not multiplied by the scale", kQ8Page, function<without_scale>},
                   {"highest-byte-first", "the two bytes of the scale are exchanged: the lower one comes first",
                    kQ8Page, function<highest_byte_first>},
                   {"scale-behind-codes", "the scale is looked for behind the codes: it is the first two bytes",
                    kQ8Page, function<scale_behind_codes>},
                   {"scale-read-as-bf16", "the scale is read as bf16: it is an f16, use f16_to_f32", kQ8Page,
                    function<scale_read_as_bf16>}},
      .place = place,
      .changes_pebble = true};
}

}  // namespace q8_0

// ---- m1-q4-0: 18 bytes → 32 numbers, scale · (code − 8) ----
namespace q4_0 {
using namespace blocks_of_m1;
namespace {

void reference(Floats out, Bytes block) {
  decode_row(out, DType::q4_0, reinterpret_cast<const std::byte*>(block.data()));
}

// out[…] = scale · number(code), with `lower` and `upper` saying where the codes of byte j belong.
template <class Number>
void unpacked(Floats out, Bytes block, float scale, Number number, std::size_t lower_step = 1,
              std::size_t lower_from = 0, std::size_t upper_from = 16) {
  for (std::size_t j = 0; j < 16; ++j) {
    const int lower = block[2 + j] & 0x0f, upper = block[2 + j] >> 4;
    out[lower_from + lower_step * j] = scale * static_cast<float>(number(lower));
    out[upper_from + lower_step * j] = scale * static_cast<float>(number(upper));
  }
}
int less_eight(int code) { return code - 8; }
void neighbours_in_a_byte(Floats out, Bytes block) { unpacked(out, block, scale_of(block), less_eight, 2, 0, 1); }
void neighbours_upper_first(Floats out, Bytes block) { unpacked(out, block, scale_of(block), less_eight, 2, 1, 0); }
void upper_four_first(Floats out, Bytes block) { unpacked(out, block, scale_of(block), less_eight, 1, 16, 0); }
void eight_not_taken_away(Floats out, Bytes block) {
  unpacked(out, block, scale_of(block), [](int code) { return code; });
}
void codes_with_sign(Floats out, Bytes block) {
  unpacked(out, block, scale_of(block), [](int code) { return code < 8 ? code : code - 16; });
}
void highest_byte_first(Floats out, Bytes block) {
  unpacked(out, block, to_f32(f16{u16_of(block[1], block[0])}), less_eight);
}

std::vector<Case> by_hand() {
  const auto zeros_but = [](std::vector<std::pair<std::size_t, float>> numbers) {
    std::vector<float> all(32);
    for (const auto& [i, number] : numbers) all[i] = number;
    return all;
  };
  const auto block_of = [](std::vector<std::uint8_t> bytes) {
    bytes.resize(18, 0x88);
    return bytes;
  };
  return {
      {.title = "a scale of 0.5",
       .arguments = block_arguments(block_of({0x00, 0x38, 0x9a, 0x70})),
       .expected = {{zeros_but({{0, 1.0f}, {1, -4.0f}, {16, 0.5f}, {17, -0.5f}})}},
       .arithmetic = "00 38, so 3800: as an f16, 0.5\n9a: lower four a, which is 10: out[0] = (10 − 8) · 0.5 = 1; "
                     "upper four 9: out[16] = (9 − 8) · 0.5 = 0.5\n70: out[1] = (0 − 8) · 0.5 = −4; out[17] = (7 − "
                     "8) · 0.5 = −0.5\n88: (8 − 8) · 0.5 = 0, twice"},
      {.title = "a scale below zero",
       .arguments = block_arguments(block_of({0x00, 0xb4, 0x88, 0x1f})),
       .expected = {{zeros_but({{1, -1.75f}, {17, 1.75f}})}},
       .arithmetic = "00 b4, so b400: as an f16, −0.25\n1f: lower four 15: out[1] = (15 − 8) · −0.25 = −1.75; upper "
                     "four 1: out[17] = (1 − 8) · −0.25 = 1.75"}};
}

std::vector<Argument> random(Random& random) { return random_block(random, DType::q4_0); }
void place(Seams& seams, LearnerFunction f) { place_blocks(seams, DType::q4_0, f); }

}  // namespace

Exercise exercise() {
  return {
      .name = "m1-q4-0",
      .reference = learn::reference<reference>(),
      .by_hand = by_hand,
      .random = random,
      .tolerance = 1e-7,
      .mistakes = {{"neighbours-in-a-byte",
                    "the two codes of a byte are no neighbours: they belong to out[j] and out[j + 16]", kQ4Page,
                    function<neighbours_in_a_byte>},
                   {"neighbours-upper-first",
                    "the codes of a byte are no neighbours, and the lower four bits come first: out[j], out[j + 16]",
                    kQ4Page, function<neighbours_upper_first>},
                   {"upper-four-first", "the lower four bits belong to out[j], the upper four to out[j + 16]", kQ4Page,
                    function<upper_four_first>},
                   {"eight-not-taken-away", "codes go from 0 to 15 and stand for −8 to 7: take 8 away", kQ4Page,
                    function<eight_not_taken_away>},
                   {"codes-with-sign",
                    "four bits are read with a sign, 8 as −8: a code is 0 to 15, and 8 is taken away from it", kQ4Page,
                    function<codes_with_sign>},
                   {"highest-byte-first", "the two bytes of the scale are exchanged: the lower one comes first",
                    kQ4Page, function<highest_byte_first>}},
      .place = place,
      .changes_pebble = true};
}

}  // namespace q4_0

}  // namespace rung::learn
