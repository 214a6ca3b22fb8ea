// Gguf: typed look-ups, split models, what opening costs, and the real files when they have been brought.
#include <fmt/format.h>
#include <gtest/gtest.h>
#include <sys/resource.h>
#include <unistd.h>

#include <chrono>
#include <fstream>

#include "downloads.h"
#include "files/expect_error.h"
#include "files/gguf.h"
#include "files/gguf_builder.h"
#include "files/temporary_folder.h"

namespace rung {
namespace {

constexpr std::uint32_t kF32 = 0;

Gguf open(const TemporaryFolder& folder, const GgufBuilder& file, const std::string& name = "a.gguf") {
  std::ofstream(folder / name, std::ios::binary) << file.text();
  return Gguf::open(folder / name);
}

// --- look-ups

TEST(GgufLookUps, AbsentIsNothing) {
  const TemporaryFolder folder;
  const Gguf gguf = open(folder, GgufBuilder(0, 0));
  EXPECT_EQ(gguf.string("a"), std::nullopt);
  EXPECT_EQ(gguf.integer("a"), std::nullopt);
  EXPECT_EQ(gguf.number("a"), std::nullopt);
  EXPECT_EQ(gguf.boolean("a"), std::nullopt);
  EXPECT_EQ(gguf.strings("a"), nullptr);
  EXPECT_EQ(gguf.integers("a"), std::nullopt);
  EXPECT_EQ(gguf.floats("a"), std::nullopt);
}

TEST(GgufLookUps, AnyIntegerIsAnIntegerAndANumber) {
  const TemporaryFolder folder;
  const Gguf gguf = open(folder, GgufBuilder(0, 4)
                                     .key("u8", 0)
                                     .number(std::uint8_t{200})
                                     .key("i64", 11)
                                     .number(std::int64_t{-5})
                                     .key("u64", 10)
                                     .number(std::uint64_t{1} << 63)
                                     .key("f32", 6)
                                     .number(0.5f));
  EXPECT_EQ(gguf.integer("u8"), 200);
  EXPECT_EQ(gguf.number("u8"), 200.0);
  EXPECT_EQ(gguf.integer("i64"), -5);
  EXPECT_EQ(gguf.number("f32"), 0.5);
  EXPECT_EQ(gguf.number("u64"), 0x1p63);
  expect_error([&] { gguf.integer("u64"); },
               "a.gguf: metadata 'u64' is 9223372036854775808, expected at most 9223372036854775807");
  expect_error([&] { gguf.integer("f32"); }, "a.gguf: metadata 'f32' is of type f32, expected an integer");
}

// llama.cpp 26690 and 27075: tokenizer arrays were cast to the type that the reader hoped for. 25014: the same with
// lengths.
TEST(GgufLookUps, Pr26690ArraysOfAnotherElementType) {
  const TemporaryFolder folder;
  const Gguf gguf = open(folder, GgufBuilder(0, 6)
                                     .key("u8s", 9)
                                     .number(std::uint32_t{0})
                                     .number(std::uint64_t{2})
                                     .raw("\x01\xff")
                                     .key("bools", 9)
                                     .number(std::uint32_t{7})
                                     .number(std::uint64_t{2})
                                     .raw(std::string("\x01\x00", 2))
                                     .key("f64s", 9)
                                     .number(std::uint32_t{12})
                                     .number(std::uint64_t{1})
                                     .number(2.5)
                                     .key("texts", 9)
                                     .number(std::uint32_t{8})
                                     .number(std::uint64_t{1})
                                     .string("x")
                                     .key("nested", 9)
                                     .number(std::uint32_t{9})
                                     .number(std::uint64_t{0})
                                     .key("u64s", 9)
                                     .number(std::uint32_t{10})
                                     .number(std::uint64_t{1})
                                     .number(~std::uint64_t{0}));
  EXPECT_EQ(gguf.integers("u8s"), (std::vector<std::int64_t>{1, 255}));
  EXPECT_EQ(gguf.integers("bools"), (std::vector<std::int64_t>{1, 0}));
  EXPECT_EQ(gguf.floats("f64s"), (std::vector<float>{2.5f}));
  EXPECT_EQ(*gguf.strings("texts"), (std::vector<std::string_view>{"x"}));
  expect_error([&] { gguf.floats("u8s"); }, "metadata 'u8s' is of type array of u8, expected an array of floats");
  expect_error([&] { gguf.integers("f64s"); },
               "metadata 'f64s' is of type array of f64, expected an array of integers");
  expect_error([&] { gguf.strings("u8s"); }, "metadata 'u8s' is of type array of u8, expected an array of strings");
  expect_error([&] { gguf.strings("nested"); },
               "metadata 'nested' is of type array of array, expected an array of strings");
  expect_error([&] { gguf.integers("u64s"); }, "expected at most");
  expect_error([&] { gguf.string("texts"); }, "metadata 'texts' is of type array of string, expected a string");
  expect_error([&] { gguf.integer("u8s"); }, "expected an integer");
  expect_error([&] { gguf.boolean("texts"); }, "expected a bool");
}

// --- tensors

TEST(GgufTensors, ShapeIsTurnedOutermostFirst) {
  const TemporaryFolder folder;
  const Gguf gguf = open(folder, GgufBuilder(1, 0).tensor("x", {4, 2}, kF32, 32).pad().data(64));
  EXPECT_EQ(gguf.tensors().at("x").shape, (std::vector<std::size_t>{2, 4}));
  EXPECT_EQ(gguf.tensors().at("x").bytes.size(), 32u);
}

// A type that Rung does not decode, or that does not exist yet, is an error of the tensor that is asked for: the
// tokenizer of such a file is readable.
TEST(GgufTensors, OtherTypesAreRefusedWhenAskedFor) {
  const TemporaryFolder folder;
  const Gguf gguf =
      open(folder, GgufBuilder(2, 0).tensor("nv", {256}, 40, 0).tensor("new", {256}, 4711, 160).pad().data(320));
  expect_error([&] { find_tensor(gguf.tensors(), "nv"); },
               "a.gguf: tensor 'nv' is of type nvfp4, expected one of f32, f16");
  expect_error([&] { find_tensor(gguf.tensors(), "new"); },
               "a.gguf: tensor 'new' is of type number 4711, expected one of f32");
}

// --- split models

GgufBuilder part(int index, int count, int tensors) {
  return GgufBuilder(1, 3)
      .u16("split.no", static_cast<std::uint16_t>(index))
      .u16("split.count", static_cast<std::uint16_t>(count))
      .i32("split.tensors.count", tensors)
      .tensor(fmt::format("t{}", index), {4}, kF32, 0)
      .pad()
      .data(32);
}

TEST(GgufSplit, PartsMustFitTogether) {
  const TemporaryFolder folder;
  const auto write = [&](const std::string& name, const GgufBuilder& file) {
    std::ofstream(folder / name, std::ios::binary) << file.text();
  };
  const auto refused = [&](const std::string& name, const std::string& message) {
    expect_error([&] { Gguf::open(folder / name); }, message);
  };
  write("m-00001-of-00002.gguf", part(0, 2, 2));
  refused("m-00001-of-00002.gguf", "m-00002-of-00002.gguf: No such file or directory");
  write("m-00002-of-00002.gguf", part(0, 2, 2));
  refused("m-00001-of-00002.gguf", "says that it is part 0 of 2 (counted from 0), expected 1 of 2");
  write("m-00002-of-00002.gguf", part(1, 3, 2));
  refused("m-00001-of-00002.gguf", "says that it is part 1 of 3 (counted from 0), expected 1 of 2");
  write("m-00002-of-00002.gguf", GgufBuilder(0, 0));
  refused("m-00001-of-00002.gguf", "says that it is part -1 of -1");
  write("m-00002-of-00002.gguf", part(1, 2, 2));
  EXPECT_EQ(Gguf::open(folder / "m-00002-of-00002.gguf").tensors().size(), 2u);
  write("m-00001-of-00002.gguf", part(0, 2, 3));
  refused("m-00001-of-00002.gguf", "the 2 parts hold 2 tensors, expected 3");
  write("renamed.gguf", part(0, 2, 2));
  refused("renamed.gguf", "is part 1 of 2 of a split model, expected a name that ends in '-00001-of-00002.gguf'");
  write("odd.gguf", part(5, 2, 2));
  refused("odd.gguf", "'split.no' is 5 and 'split.count' is 2");
}

// mistral.rs 2215: split.count of another type.
TEST(GgufSplit, MistralRs2215CountsOfAnotherType) {
  const TemporaryFolder folder;
  expect_error([&] { open(folder, GgufBuilder(0, 1).key("split.count", 8).string("2")); },
               "'split.count' is of type string, expected an integer");
  expect_error([&] { open(folder, GgufBuilder(0, 1).i32("split.count", -2)); }, "'split.count' is -2");
  expect_error([&] { open(folder, GgufBuilder(0, 1).key("split.count", 10).number(~std::uint64_t{0})); },
               "expected at most");
  expect_error([&] { open(folder, GgufBuilder(0, 2).i32("split.count", 100'000).i32("split.no", 0)); },
               "'split.count' is 100000");
}

TEST(GgufSplit, ATensorInTwoParts) {
  const TemporaryFolder folder;
  for (int i = 0; i < 2; ++i) {
    std::ofstream(folder / fmt::format("m-0000{}-of-00002.gguf", i + 1), std::ios::binary)
        << GgufBuilder(1, 2)
               .u16("split.no", static_cast<std::uint16_t>(i))
               .u16("split.count", 2)
               .tensor("t", {4}, kF32, 0)
               .pad()
               .data(32)
               .text();
  }
  expect_error([&] { Gguf::open(folder / "m-00001-of-00002.gguf"); },
               "00002-of-00002.gguf: tensor 't' is in an earlier part too");
}

// --- what opening costs

std::size_t resident_bytes() {
  std::ifstream statm("/proc/self/statm");
  std::size_t total_pages = 0, resident_pages = 0;
  statm >> total_pages >> resident_pages;
  return resident_pages * static_cast<std::size_t>(::sysconf(_SC_PAGESIZE));
}

// A hundred gigabytes, of which ftruncate makes a hole that takes no place on the disk. Opening reads the header and
// nothing else.
TEST(GgufCost, ASparse100GbFileOpensIn100MsAnd32Mb) {
  const TemporaryFolder folder;
  const std::uint64_t tensors = 1000, each = 25'000'000;  // × 4 bytes
  GgufBuilder file(tensors, 1);
  file.key("tokenizer.ggml.tokens", 9).number(std::uint32_t{8}).number(std::uint64_t{128'000});
  for (int i = 0; i < 128'000; ++i) file.string(fmt::format("token{}", i));
  for (std::uint64_t i = 0; i < tensors; ++i) {
    file.tensor(fmt::format("blk.{}.weight", i), {5000, 5000}, kF32, i * each * 4);
  }
  file.pad();
  std::ofstream(folder / "sparse.gguf", std::ios::binary) << file.text();
  std::error_code error;
  std::filesystem::resize_file(folder / "sparse.gguf", file.text().size() + tensors * each * 4, error);
  if (error) GTEST_SKIP() << "this file system makes no sparse file of 100 GB: " << error.message();

  const std::size_t before = resident_bytes();
  const auto start = std::chrono::steady_clock::now();
  const Gguf gguf = Gguf::open(folder / "sparse.gguf");
  const std::chrono::duration<double, std::milli> elapsed = std::chrono::steady_clock::now() - start;
  const std::size_t taken = resident_bytes() - std::min(before, resident_bytes());
  EXPECT_EQ(gguf.tensors().size(), tensors);
  EXPECT_EQ(gguf.strings("tokenizer.ggml.tokens")->size(), 128'000u);
  EXPECT_LT(elapsed.count(), 100.0);
  EXPECT_LT(taken, std::size_t{32} << 20);
  RecordProperty("elapsed_us", static_cast<int>(elapsed.count() * 1000));
  RecordProperty("resident_kib", static_cast<int>(taken >> 10));
}

// A hole is zeros, and zeros claim nothing: but a header may not reach into it.
TEST(GgufCost, AHeaderThatClaimsTheHoleIsRefused) {
  const TemporaryFolder folder;
  const GgufBuilder file = GgufBuilder(0, 1).key("a", 9).number(std::uint32_t{0}).number(std::uint64_t{90'000'000'000});
  std::ofstream(folder / "sparse.gguf", std::ios::binary) << file.text();
  std::error_code error;
  std::filesystem::resize_file(folder / "sparse.gguf", 100'000'000'000, error);
  if (error) GTEST_SKIP() << "this file system makes no sparse file of 100 GB: " << error.message();
  expect_error([&] { Gguf::open(folder / "sparse.gguf"); }, "metadata 'a' claims 90000000000 elements");
}

}  // namespace
}  // namespace rung
