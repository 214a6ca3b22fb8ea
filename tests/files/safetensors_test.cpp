// What a safetensors file and a folder of them must be, and what is refused. Reports:
// github.com/huggingface/safetensors unless another is named.
#include <gtest/gtest.h>

#include <fstream>

#include "files/expect_error.h"
#include "files/safetensors.h"
#include "files/safetensors_part.h"
#include "files/temporary_folder.h"

namespace rung {
namespace {

std::string file_bytes(const std::string& header, std::size_t data_bytes, std::uint64_t claimed) {
  return std::string(reinterpret_cast<const char*>(&claimed), 8) + header + std::string(data_bytes, '\x22');
}
std::string file_bytes(const std::string& header, std::size_t data_bytes) {
  return file_bytes(header, data_bytes, header.size());
}

SafetensorsPart parse(const std::string& bytes) {
  return parse_safetensors(std::as_bytes(std::span(bytes)), "bad.safetensors");
}

void expect_refused(const std::string& header, std::size_t data_bytes, const std::string& part) {
  expect_error([&] { parse(file_bytes(header, data_bytes)); }, part);
}

std::string tensor(const std::string& name, const std::string& shape, std::size_t begin, std::size_t end,
                   const std::string& dtype = "F32") {
  return fmt::format(R"("{}":{{"dtype":"{}","shape":{},"data_offsets":[{},{}]}})", name, dtype, shape, begin, end);
}

TEST(SafetensorsHeader, TensorsAreViewsOfTheData) {
  const std::string bytes =
      file_bytes("{" + tensor("b", "[2,3]", 0, 24) + "," + tensor("a", "[]", 24, 26, "BF16") + "}  ", 26);
  const SafetensorsPart part = parse(bytes);
  EXPECT_EQ(part.tensors.at("b").shape, (std::vector<std::size_t>{2, 3}));
  EXPECT_EQ(part.tensors.at("a").dtype, DType::bf16);
  EXPECT_EQ(reinterpret_cast<const char*>(part.tensors.at("a").bytes.data()), bytes.data() + bytes.size() - 2);
  EXPECT_TRUE(parse(file_bytes("{}", 0)).tensors.empty());
}

// fastllm 712, openasr 73: the length of the header sized an allocation, or wrapped when something was added to it.
TEST(SafetensorsHeader, LengthBeyondTheFile) {
  expect_error([] { parse(file_bytes("{}", 0, 3)); }, "claims a header of 3 bytes, but only 2 are left");
  for (const std::uint64_t claimed :
       {std::uint64_t{100'000'001}, std::uint64_t{1} << 63, ~std::uint64_t{0}, ~std::uint64_t{0} - 7}) {
    expect_error([&] { parse(file_bytes("{}", 0, claimed)); }, "expected at most 100000000");
  }
}

TEST(SafetensorsHeader, WhatIsNoSafetensorsFile) {
  expect_error([] { parse(""); }, "it has 0 bytes, expected at least 8");
  expect_error([] { parse("version https://git-lfs.github.com/spec/v1\n"); }, "a Git LFS pointer");
  expect_error([] { parse(file_bytes("[]", 0)); }, "the header begins with '[]'");
  expect_error([] { parse(file_bytes("", 0)); }, "the header begins with ''");
  expect_refused("{]", 0, "the header is not JSON: unexpected text at its byte 2");
  expect_refused("{} {}", 0, "not JSON");
  expect_refused("{\"a\":", 0, "not JSON");
}

// 401: a JSON reader keeps one of two equal keys, and which one depends on the reader.
TEST(SafetensorsHeader, Issue401DuplicateKeys) {
  expect_refused("{" + tensor("a", "[1]", 0, 4) + "," + tensor("a", "[1]", 4, 8) + "}", 8, "the key 'a' appears twice");
  expect_refused(R"({"a":{"dtype":"F32","shape":[1],"shape":[1],"data_offsets":[0,4]}})", 4,
                 "tensor 'a': the key 'shape' appears twice");
  expect_refused(R"({"__metadata__":{"k":"v","k":"w"}})", 0, "the key 'k' appears twice");
  expect_refused(R"({"__metadata__":{},"__metadata__":{}})", 0, "the key '__metadata__' appears twice");
}

// h3.c 48, lattice 752: tensors that share bytes, and bytes in no tensor, in which something else can hide.
TEST(SafetensorsHeader, OverlapsAndHoles) {
  expect_refused("{" + tensor("a", "[2]", 0, 8) + "," + tensor("b", "[2]", 4, 12) + "}", 12,
                 "tensor 'b' begins at byte 4 of the data, expected 8");
  expect_refused("{" + tensor("a", "[2]", 0, 8) + "," + tensor("b", "[2]", 0, 8) + "}", 8,
                 "tensor 'b' begins at byte 0 of the data, expected 8");
  expect_refused("{" + tensor("a", "[1]", 0, 4) + "," + tensor("b", "[1]", 8, 12) + "}", 12,
                 "tensor 'b' begins at byte 8 of the data, expected 4");
  expect_refused("{" + tensor("a", "[1]", 4, 8) + "}", 8, "tensor 'a' begins at byte 4 of the data, expected 0");
  expect_refused("{" + tensor("a", "[1]", 0, 4) + "}", 5, "the tensors end at byte 4 of the data, expected 5");
  expect_refused("{}", 1, "the tensors end at byte 0 of the data, expected 1");
}

// stable-diffusion.cpp 1754: offsets in the wrong order or beyond the end.
TEST(SafetensorsHeader, OffsetsOutOfRange) {
  expect_refused("{" + tensor("a", "[1]", 4, 0) + "}", 4,
                 "tensor 'a' lies in bytes 4 to 0 of the data, which has 4 bytes");
  expect_refused("{" + tensor("a", "[2]", 0, 8) + "}", 4,
                 "tensor 'a' lies in bytes 0 to 8 of the data, which has 4 bytes");
  expect_refused(R"({"a":{"dtype":"F32","shape":[1],"data_offsets":[0,18446744073709551615]}})", 4,
                 "which has 4 bytes");
}

TEST(SafetensorsHeader, DtypeTimesShapeIsTheBytes) {
  expect_refused("{" + tensor("a", "[3]", 0, 8) + "}", 8, "tensor 'a' takes 8 bytes, expected 12 for F32 of shape [3]");
  expect_refused("{" + tensor("a", "[4294967296,4294967296]", 0, 0) + "}", 0, "does not fit 64 bits");
  expect_refused("{" + tensor("a", "[4611686018427387904]", 0, 0) + "}", 0, "does not fit 64 bits");
  expect_refused("{" + tensor("a", "[0,9223372036854775808,2]", 0, 0) + "}", 0, "does not fit 64 bits");
}

TEST(SafetensorsHeader, FieldsOfAnotherKind) {
  expect_refused(R"({"a":{"dtype":"F32","shape":[1]}})", 4, "tensor 'a' lacks its dtype, shape or two data_offsets");
  expect_refused(R"({"a":{"dtype":"F32","shape":[1],"data_offsets":[0]}})", 4, "lacks");
  expect_refused(R"({"a":{"shape":[1],"data_offsets":[0,4]}})", 4, "lacks");
  expect_refused(R"({"a":{"dtype":"F32","shape":[1],"data_offsets":[0,4,8]}})", 4,
                 "tensor 'a': found 8 for 'data_offsets'");
  expect_refused(R"({"a":{"dtype":"F32","shape":[-1],"data_offsets":[0,4]}})", 4, "found -1 for 'shape'");
  expect_refused(R"({"a":{"dtype":"F32","shape":[1.5],"data_offsets":[0,4]}})", 4, "found 1.5 for 'shape'");
  expect_refused(R"({"a":{"dtype":"F32","shape":[99999999999999999999],"data_offsets":[0,4]}})", 4, "for 'shape'");
  expect_refused(R"({"a":{"dtype":"F32","shape":1,"data_offsets":[0,4]}})", 4, "found 1 for 'shape'");
  expect_refused(R"({"a":{"dtype":3}})", 4, "found 3 for 'dtype'");
  expect_refused(R"({"a":{"dtype":"F32","extra":"x"}})", 4, "found a string for 'extra'");
  expect_refused(R"({"a":[]})", 4, "found an array for 'a'");
  expect_refused(R"({"a":null})", 4, "found null for 'a'");
  expect_refused(R"({"__metadata__":{"k":1}})", 0, "found 1 for 'k'");
  expect_refused(R"({"a":{"shape":[)" + std::string(100'000, '['), 0, "found an array for 'shape'");  // deep nesting
  expect_refused("{" + tensor("a", "[1]", 0, 4, "F33") + "}", 4,
                 "tensor 'a' has dtype 'F33', which the format does not know");
}

TEST(SafetensorsHeader, EveryTruncation) {
  const std::string whole = file_bytes(R"({"__metadata__":{"k":"v"},)" + tensor("a", "[1]", 0, 4) + "}", 4);
  EXPECT_NO_THROW(parse(whole));
  for (std::size_t size = 0; size < whole.size(); ++size) {
    expect_error([&] { parse(whole.substr(0, size)); }, "bad.safetensors: ");
  }
}

// A type that Rung does not decode is an error of the tensor that is asked for, not of the file: models carry I64
// buffers that nobody reads.
TEST(SafetensorsHeader, OtherTypesAreRefusedWhenAskedFor) {
  const std::string bytes =
      file_bytes("{" + tensor("ids", "[2]", 0, 16, "I64") + "," + tensor("w", "[1]", 16, 20) + "}", 20);
  const SafetensorsPart part = parse(bytes);
  EXPECT_NE(find_tensor(part.tensors, "w"), nullptr);
  EXPECT_EQ(find_tensor(part.tensors, "absent"), nullptr);
  expect_error([&] { find_tensor(part.tensors, "ids"); },
               "bad.safetensors: tensor 'ids' is of type I64, expected one of f32, f16, bf16");
  expect_refused("{" + tensor("ids", "[2]", 0, 8, "I64") + "}", 8, "takes 8 bytes, expected 16 for I64");
}

// --- folders

class Folder : public testing::Test {
 protected:
  void write(const std::string& name, const std::string& bytes) {
    std::ofstream(folder_ / name, std::ios::binary) << bytes;
  }
  void write_index(const std::string& weight_map) {
    write("model.safetensors.index.json", R"({"metadata":{},"weight_map":)" + weight_map + "}");
  }
  void expect_folder_refused(const std::string& part) {
    expect_error([&] { Safetensors::open(folder_.path()); }, part);
  }

  TemporaryFolder folder_;
  const std::string a_ = file_bytes("{" + tensor("a", "[1]", 0, 4) + "}", 4),
                    b_ = file_bytes("{" + tensor("b", "[1]", 0, 4) + "}", 4);
};

TEST_F(Folder, HoldsAModelOrAnIndexAndTheModelComesFirst) {
  expect_folder_refused("holds neither model.safetensors nor model.safetensors.index.json");
  write("1.safetensors", a_);
  write("2.safetensors", b_);
  write_index(R"({"a":"1.safetensors","b":"2.safetensors"})");
  EXPECT_EQ(Safetensors::open(folder_.path()).tensors().size(), 2u);
  write("model.safetensors", a_);
  EXPECT_EQ(Safetensors::open(folder_.path()).tensors().size(), 1u) << "as transformers does";
  expect_error([&] { Safetensors::open(folder_ / "absent"); }, "absent: No such file or directory");
}

// transformers 47176, huggingface_hub 4935: the names in weight_map were joined to the folder as they came.
TEST_F(Folder, Transformers47176IndexThatPointsOutside) {
  for (const std::string name :
       {"../secret.safetensors", "/etc/passwd", "sub/1.safetensors", "..", ".", "", "a\\\\b", "a\\u0000b"}) {
    write_index(R"({"a":")" + name + R"("})");
    expect_folder_refused("expected a file of the same folder");
  }
}

// The hub's cache is a folder of links into another one.
TEST_F(Folder, LinksInTheFolderAreFollowed) {
  const TemporaryFolder blobs;
  std::ofstream(blobs / "abc", std::ios::binary) << a_;
  std::filesystem::create_symlink(blobs / "abc", folder_ / "1.safetensors");
  write_index(R"({"a":"1.safetensors"})");
  EXPECT_EQ(Safetensors::open(folder_.path()).tensors().size(), 1u);
}

// The index says which files there are; they themselves say what they hold. Indexes in the wild are wrong about it.
TEST_F(Folder, TheShardsSayWhatTheyHoldWhateverTheIndexSays) {
  write("1.safetensors", a_);
  write("2.safetensors", b_);
  write_index(R"({"a":"2.safetensors","b":"1.safetensors"})");
  EXPECT_EQ(Safetensors::open(folder_.path()).tensors().at("a").file, (folder_ / "1.safetensors").string());
  write_index(R"({"a":"1.safetensors","of no use":"1.safetensors","b":"2.safetensors"})");
  EXPECT_EQ(Safetensors::open(folder_.path()).tensors().size(), 2u);
  write_index(R"({"a":"1.safetensors","c":"3.safetensors"})");
  expect_folder_refused("3.safetensors: No such file or directory");
  write("2.safetensors", a_);
  write_index(R"({"a":"1.safetensors","b":"2.safetensors"})");
  expect_folder_refused("tensor 'a' is in an earlier shard too");
}

// A download that was not finished leaves links to nothing.
TEST_F(Folder, ALinkToWhatIsNotThereIsNamed) {
  std::filesystem::create_symlink("../../blobs/abc", folder_ / "1.safetensors");
  write_index(R"({"a":"1.safetensors"})");
  expect_folder_refused("1.safetensors: a link to ../../blobs/abc, which is not there");
  std::filesystem::create_symlink("../../blobs/def", folder_ / "model.safetensors");
  expect_folder_refused("model.safetensors: a link to ../../blobs/def, which is not there");
}

TEST_F(Folder, IndexOfAnotherKind) {
  write("model.safetensors.index.json", "[]");
  expect_folder_refused("has no object 'weight_map'");
  write("model.safetensors.index.json", R"({"weight_map":[]})");
  expect_folder_refused("has no object 'weight_map'");
  write("model.safetensors.index.json", "{");
  expect_folder_refused("not JSON");
  write_index("{}");
  expect_folder_refused("'weight_map' is empty");
  write_index(R"({"a":1})");
  expect_folder_refused("'weight_map' gives number for tensor 'a'");
}

}  // namespace
}  // namespace rung
