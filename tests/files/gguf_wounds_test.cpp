// The wounds of this field: files that broke other readers, each by the public report that it comes from. Every one
// must be refused in one line, without a crash and without allocating what the file only claims to hold. Numbers
// without a name are issues and pull requests of github.com/ggml-org/llama.cpp. The wounds of tokenizers are in
// tests/text/tokenizer_wounds_test.cpp, those of templates in tests/templates/chat_template_test.cpp. Of two numbers
// that were to be here, 24446 and 28810, no report could be found in the public archives that were searched (by number,
// and for GGUF, vocabulary and template reports of June to September 2026).
#include <gtest/gtest.h>

#include <limits>

#include "files/expect_error.h"
#include "files/gguf_builder.h"
#include "files/gguf_part.h"

namespace rung {
namespace {

constexpr std::uint32_t kF32 = 0, kQ8_0 = 8, kI8 = 24;
constexpr std::uint64_t k2To63 = std::uint64_t{1} << 63;

void expect_refused(const GgufBuilder& file, const std::string& part) {
  expect_error([&] { parse_gguf(file.bytes(), "bad.gguf"); }, part);
}

GgufBuilder one_tensor(std::initializer_list<std::uint64_t> extents, std::uint32_t type = kF32,
                       std::uint64_t offset = 0) {
  return GgufBuilder(1, 0).tensor("x", extents, type, offset).pad().data(64);
}

// --- sizes whose product or sum wraps

// 14595: the running sum of tensor sizes overflowed. Two tensors, each near 2^63 bytes.
TEST(GgufWounds, Pr14595SumOfTensorSizesWraps) {
  expect_refused(
      GgufBuilder(2, 0).tensor("a", {k2To63 / 4}, kF32, 0).tensor("b", {k2To63 / 4}, kF32, k2To63).pad().data(64),
      "tensor 'a' takes");
}

// 19856: element counts, sizes of strings and of arrays, and the memory for all the infos, each a product that wrapped.
TEST(GgufWounds, Pr19856ProductOfExtentsWraps) {
  expect_refused(one_tensor({std::uint64_t{1} << 32, std::uint64_t{1} << 32}), "does not fit 64 bits");
  // 25378: the product is 4 modulo 2^64
  expect_refused(one_tensor({4194305, 4194305, 211106198978564}), "does not fit 64 bits");
  // elements fit, bytes do not
  expect_refused(one_tensor({std::uint64_t{1} << 62}), "does not fit 64 bits");
}

// 18674: one extent patched to 2^42 + 1, so that rows times stride wraps.
TEST(GgufWounds, Pr18674PatchedExtent) { expect_refused(one_tensor({1152, 4398046511105}, kQ8_0), "tensor 'x' takes"); }

// 27200: the elements of a quantised tensor, multiplied with its block's bytes before they were divided by its block's
// elements. Here the product is less than 1088 modulo 2^64, so that the tensor seemed to take at most 34 bytes.
TEST(GgufWounds, Pr27200BytesOfAQuantisedTensorWrap) {
  const std::uint64_t blocks = std::numeric_limits<std::uint64_t>::max() / (32 * 34) + 1;
  expect_refused(one_tensor({32 * blocks}, kQ8_0), "tensor 'x' takes");
  expect_refused(one_tensor({32, blocks}, kQ8_0), "tensor 'x' takes");
}

// 26318 and 24759: size + alignment − 1 wraps when padding a size just below 2^64.
TEST(GgufWounds, Pr26318PaddingWraps) {
  expect_refused(one_tensor({std::numeric_limits<std::uint64_t>::max() / 4}), "tensor 'x' takes");
  expect_refused(one_tensor({std::numeric_limits<std::uint64_t>::max() - 3}, kI8), "tensor 'x' takes");
}

// 27203 and 27204: [2^63 − 1, 2] as i8 has a negative number of elements in 64 signed bits.
TEST(GgufWounds, Issue27203ProductIsNegative) {
  expect_refused(one_tensor({k2To63 - 1, 2}, kI8), "tensor 'x' takes");
  expect_refused(one_tensor({k2To63 - 1, 3}, kI8), "does not fit 64 bits");
}

// mlx 4179: an offset so large that base + offset points back inside.
TEST(GgufWounds, Mlx4179OffsetWraps) {
  expect_refused(one_tensor({8}, kF32, std::numeric_limits<std::uint64_t>::max() - 31),
                 "tensor 'x' takes 32 bytes from offset");
}

// --- a tensor that claims more than the file holds

// CVE-2026-7482 (ollama): offset and size beyond the end were read all the same, and so the memory of the process.
TEST(GgufWounds, Cve2026x7482TensorBeyondTheEnd) {
  expect_refused(one_tensor({17}), "tensor 'x' takes 68 bytes from offset 0 of the data, which has 64");
  expect_refused(one_tensor({8}, kF32, 64), "tensor 'x' takes 32 bytes from offset 64 of the data, which has 64");
  expect_refused(GgufBuilder(1, 0).tensor("x", {1}, kF32, 0), "the data, which has 0 bytes");
}

// mlx 4136: an offset of 2^40 in a small file.
TEST(GgufWounds, Mlx4136OffsetBeyondTheEnd) {
  expect_refused(one_tensor({8}, kF32, std::uint64_t{1} << 40), "from offset 1099511627776");
}

// --- counts

// 27188: 43 bytes that claim an array of 2^63 elements hung a reader, its memory growing; likewise the other counts.
TEST(GgufWounds, Pr27188CountsOf2To63) {
  for (const std::uint64_t count : {k2To63, k2To63 / 2, std::numeric_limits<std::uint64_t>::max()}) {
    expect_refused(GgufBuilder(0, 1).key("a", 9).number(std::uint32_t{4}).number(count), "metadata 'a' claims");
    expect_refused(GgufBuilder(0, 1).key("a", 9).number(std::uint32_t{9}).number(count), "metadata 'a' claims");
    expect_refused(GgufBuilder(0, count), "metadata keys, expected at most");
    expect_refused(GgufBuilder(count, 0), "tensors, expected at most");
    expect_refused(GgufBuilder(0, 1).number(count).raw("key"), "a metadata key at byte");
    expect_refused(GgufBuilder(0, 1).key("a", 8).number(count).raw("text"), "metadata 'a' at byte");
  }
}

// 15711: a number of tensors that passes one check while the memory for their infos overflows.
TEST(GgufWounds, Issue15711NumberOfTensors) {
  expect_refused(GgufBuilder(std::numeric_limits<std::uint64_t>::max() / 100, 0), "expected at most");
}

// ferrox 25: a length that an allocator grants lazily, so that only memory pressure shows it.
TEST(GgufWounds, Ferrox25ArrayOf500Million) {
  expect_refused(GgufBuilder(0, 1).key("a", 9).number(std::uint32_t{4}).number(std::uint64_t{500'000'000}),
                 "only 0 bytes are left");
}

// TALOS-2024-1912 to 1916 and ggml 709: keys, tensors, names and arrays longer than the file, read in order until the
// end.
TEST(GgufWounds, Ggml709EveryTruncation) {
  const std::string whole = GgufBuilder(1, 2)
                                .key("a", 9)
                                .number(std::uint32_t{8})
                                .number(std::uint64_t{2})
                                .string("x")
                                .string("y")
                                .u32("general.alignment", 64)
                                .tensor("t", {4, 2}, kF32, 0)
                                .pad(64)
                                .data(32)
                                .text();
  EXPECT_NO_THROW(parse_gguf(std::as_bytes(std::span(whole)), "whole.gguf"));
  for (std::size_t size = 0; size < whole.size(); ++size) {
    expect_error([&] { parse_gguf(std::as_bytes(std::span(whole).first(size)), "bad.gguf"); }, "bad.gguf: ");
  }
}

// --- alignment

// 24988 and 25596: general.alignment of another type than u32 aborted.
TEST(GgufWounds, Pr24988AlignmentOfAnotherType) {
  expect_refused(GgufBuilder(0, 1).i32("general.alignment", 32),
                 "metadata 'general.alignment' is of type i32, expected u32");
  expect_refused(GgufBuilder(0, 1).key("general.alignment", 8).string("32"), "is of type string");
  expect_refused(GgufBuilder(0, 1).key("general.alignment", 9).number(std::uint32_t{4}).number(std::uint64_t{0}),
                 "is of type array of u32");
}

// 24997: 2^31 overflows the padding on 32-bit machines. gguf-tools 27, candle 3876: 0 divides by zero. 3 is no power of
// two.
TEST(GgufWounds, Pr24997AlignmentOutOfRange) {
  for (const std::uint32_t alignment : {0u, 1u, 3u, 4u, 24u, 33u, 1u << 21, 1u << 31, 0xffffffffu}) {
    expect_refused(GgufBuilder(0, 1).u32("general.alignment", alignment),
                   "'general.alignment' is " + std::to_string(alignment));
  }
  EXPECT_NO_THROW(parse_gguf(GgufBuilder(0, 1).u32("general.alignment", 8).bytes(), "good.gguf"));
}

TEST(GgufWounds, OffsetThatIsNotAligned) {
  expect_refused(one_tensor({4}, kF32, 4), "begins at offset 4, expected a multiple of the alignment 32");
}

// --- types

// 26690 and 27075: arrays of another element type than expected were cast. Here the look-ups are typed (gguf_test.cpp);
// a type that does not exist:
TEST(GgufWounds, Pr26690ElementTypeThatDoesNotExist) {
  expect_refused(
      GgufBuilder(0, 1).key("a", 9).number(std::uint32_t{13}).number(std::uint64_t{1}).number(std::uint64_t{0}),
      "has value type 13");
  expect_refused(GgufBuilder(0, 1).key("a", 13).number(std::uint64_t{0}), "has value type 13");
  expect_refused(GgufBuilder(0, 1).key("a", 0xffffffff).number(std::uint64_t{0}), "has value type 4294967295");
}

// 8816: a type that was given up has blocks of no values, and dividing by that crashed. Unknown types take no place,
// and nobody can ask for them.
TEST(GgufWounds, Issue8816TypesThatWereGivenUp) {
  for (const std::uint32_t type : {4u, 5u, 31u, 33u, 36u, 38u, 4711u, 0x7fffffffu, 0x80000000u, 0xffffffffu}) {
    const GgufBuilder file = one_tensor({33}, type);
    const GgufPart part = parse_gguf(file.bytes(), "odd.gguf");
    expect_error([&] { find_tensor(part.tensors, "x"); }, "tensor 'x' is of type number " + std::to_string(type));
  }
}

// 28880: one array inside the other, 36 KB deep, overflowed the stack.
TEST(GgufWounds, Pr28880NestedArrays) {
  GgufBuilder file(0, 1);
  file.key("a", 9);
  for (int i = 0; i < 100'000; ++i) file.number(std::uint32_t{9}).number(std::uint64_t{1});
  expect_refused(file, "metadata 'a' nests arrays deeper than 8");
}

// A bool that is neither 0 nor 1, copied into a C++ bool, is undefined behaviour.
TEST(GgufWounds, BoolOfValue2) {
  expect_refused(GgufBuilder(0, 1).key("a", 7).number(std::uint8_t{2}), "is a bool of value 2");
}

// 25401: a million axes. ggml 709: five of them in an array of four.
TEST(GgufWounds, Pr25401TooManyAxes) {
  expect_refused(one_tensor({1, 1, 1, 1, 1}), "has 5 axes");
  expect_refused(GgufBuilder(1, 0).string("x").number(std::uint32_t{1'000'000}), "has 1000000 axes");
}

// 25596 and ggml 1517: an extent of 0 divided by zero. A tensor without elements is odd, and harmless.
TEST(GgufWounds, Pr25596ExtentOfZero) {
  const GgufPart part = parse_gguf(one_tensor({4, 0}).bytes(), "odd.gguf");
  EXPECT_EQ(part.tensors.at("x").bytes.size(), 0u);
  EXPECT_EQ(part.tensors.at("x").shape, (std::vector<std::size_t>{0, 4}));
  // or the product of the other extents would wrap elsewhere
  expect_refused(one_tensor({0, k2To63, 4}), "does not fit 64 bits");
}

TEST(GgufWounds, RowThatIsNoWholeNumberOfBlocks) {
  expect_refused(one_tensor({33, 2}, kQ8_0), "rows of 33 values, expected a multiple of 32");
}

// --- names

// 24884 and 20874: a key without a name aborted.
TEST(GgufWounds, Issue24884EmptyKey) {
  expect_refused(GgufBuilder(0, 2).u32("a", 1).u32("", 2), "metadata key 2 of 2 is empty");
}

TEST(GgufWounds, DuplicateKey) {
  expect_refused(GgufBuilder(0, 2).u32("a", 1).u32("a", 2), "metadata 'a' appears twice");
}

TEST(GgufWounds, DuplicateTensor) {
  expect_refused(GgufBuilder(2, 0).tensor("x", {4}, kF32, 0).tensor("x", {4}, kF32, 32).pad().data(64),
                 "tensor 'x' appears twice");
  expect_refused(GgufBuilder(2, 0).tensor("x", {4}, kF32, 0).tensor("x", {4}, kI8, 32).pad().data(64),
                 "tensor 'x' appears twice");
}

TEST(GgufWounds, OverlappingTensors) {
  expect_refused(GgufBuilder(2, 0).tensor("a", {16}, kF32, 0).tensor("b", {4}, kF32, 32).pad().data(64),
                 "tensors 'a' and 'b' overlap");
  expect_refused(GgufBuilder(2, 0).tensor("a", {4}, kF32, 0).tensor("b", {4}, kF32, 0).pad().data(64), "overlap");
}

// CVE-2025-49847: an entry of the vocabulary longer than the buffer it was copied to. Entries are views here; the
// length is what it is.
TEST(GgufWounds, Cve2025x49847LongVocabularyEntry) {
  const std::string entry(1'000'000, 'a');
  GgufBuilder file(0, 1);
  file.key("tokenizer.ggml.tokens", 9).number(std::uint32_t{8}).number(std::uint64_t{1}).string(entry);
  const GgufPart part = parse_gguf(file.bytes(), "long.gguf");
  const auto& array = std::get<GgufArray>(part.metadata.at("tokenizer.ggml.tokens"));
  EXPECT_EQ(std::get<std::vector<std::string_view>>(array.values).at(0), entry);
}

// A name chosen to write into the terminal of whoever reads the error, or to fill it.
TEST(GgufWounds, NamesThatArePrintedAreMadePrintable) {
  expect_refused(GgufBuilder(0, 2).u32("a\n\x1b[2J", 1).u32("a\n\x1b[2J", 1),
                 "metadata 'a\\x0a\\x1b[2J' appears twice");
  const std::string name(100'000, 'n');
  expect_refused(GgufBuilder(0, 2).u32(name, 1).u32(name, 1), "nnn…' appears twice");
}

// --- what is no GGUF file

TEST(GgufWounds, WhatIsNoGgufFile) {
  const auto refused = [](const std::string& text, const std::string& part) {
    expect_error([&] { parse_gguf(std::as_bytes(std::span(text)), "bad.gguf"); }, part);
  };
  refused("", "the magic at byte 0 takes 4 bytes, but only 0 are left in the file");
  refused("<!DOCTYPE html>", "not a GGUF file: it begins with '<!DO'");
  refused("version https://git-lfs.github.com/spec/v1\n", "a Git LFS pointer");
  refused(GgufBuilder(0, 0, 1).text(), "GGUF version 1, expected 2 or 3");
  refused(GgufBuilder(0, 0, 4).text(), "GGUF version 4, expected 2 or 3");
  refused(GgufBuilder(0, 0, 0).text(), "GGUF version 0, expected 2 or 3");
  refused(GgufBuilder(0, 0, 0x03000000).text(), "big-endian");
  refused(GgufBuilder(0, 0, 0x02000000).text(), "big-endian");
}

}  // namespace
}  // namespace rung
