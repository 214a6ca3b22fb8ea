// What GgufWriter writes, our reader reads back: every type of value, every type of tensor. (tools/check_gguf.py has
// the gguf package and llama.cpp read files of ours.)
#include <gtest/gtest.h>

#include <cstring>
#include <fstream>

#include "files/expect_error.h"
#include "files/gguf.h"
#include "files/temporary_folder.h"
#include "files/write_gguf.h"
#include "paths.h"

namespace rung {
namespace {

namespace fs = std::filesystem;

// Compared as text, part by part: an array of strings is views into two files.
std::string text_of(const GgufValue& value);

std::string text_of(const GgufArray& array) {
  return std::visit(
      [](const auto& values) {
        std::string text = "[";
        for (std::size_t i = 0; i < values.size(); ++i) {
          using T = typename std::decay_t<decltype(values)>::value_type;
          if constexpr (std::is_same_v<T, GgufArray>) {
            text += text_of(values[i]) + ";";
          } else {
            text += fmt::format("{};", static_cast<T>(values[i]));
          }
        }
        return text + fmt::format("]{}", values.size());
      },
      array.values);
}

std::string text_of(const GgufValue& value) {
  if (const auto* array = std::get_if<GgufArray>(&value)) return text_of(*array);
  const auto& scalar = std::get<GgufScalar>(value);
  return std::visit([&](const auto& v) { return fmt::format("{}:{}", scalar.index(), v); }, scalar);
}

TEST(GgufWriter, GivesBackWhatTheOfficialPackageWrote) {
  const TemporaryFolder folder;
  const Gguf official = Gguf::open(golden_folder() / "files" / "all_types.gguf");
  GgufMetadata metadata;
  for (const auto& [key, value] : official.metadata()) metadata.set(key, value);
  std::vector<GgufOutputTensor> tensors;
  for (const auto& [name, tensor] : official.tensors()) tensors.push_back({name, tensor.dtype, tensor.shape});
  GgufWriter writer(folder / "ours.gguf", metadata, tensors);
  for (const auto& [name, tensor] : official.tensors()) {  // in two pieces each
    writer.write(tensor.bytes.first(tensor.bytes.size() / 2));
    writer.write(tensor.bytes.subspan(tensor.bytes.size() / 2));
  }
  writer.commit();

  const Gguf ours = Gguf::open(folder / "ours.gguf");
  EXPECT_EQ(ours.version(), 3u);
  ASSERT_EQ(ours.metadata().size(), official.metadata().size());
  for (const auto& [key, value] : official.metadata()) {
    ASSERT_TRUE(ours.metadata().contains(key)) << key;
    EXPECT_EQ(text_of(ours.metadata().find(key)->second), text_of(value)) << key;
  }
  ASSERT_EQ(ours.tensors().size(), official.tensors().size());
  for (const auto& [name, tensor] : official.tensors()) {
    const FileTensor& t = ours.tensors().at(name);
    EXPECT_EQ(t.shape, tensor.shape) << name;
    EXPECT_EQ(t.dtype, tensor.dtype) << name;
    ASSERT_EQ(t.bytes.size(), tensor.bytes.size()) << name;
    EXPECT_EQ(std::memcmp(t.bytes.data(), tensor.bytes.data(), t.bytes.size()), 0) << name;
  }
}

TEST(GgufWriter, KeysKeepTheirOrderAndTheLastValueCounts) {
  GgufMetadata metadata;
  metadata.set_text("b", "first");
  metadata.set_scalar("a", std::uint32_t{1});
  metadata.set_text("b", "second");
  ASSERT_EQ(metadata.entries().size(), 2u);
  EXPECT_EQ(metadata.entries()[0].first, "b");
  EXPECT_EQ(text_of(metadata.entries()[0].second), "8:second");
}

TEST(GgufWriter, LeavesNothingWithoutCommit) {
  const TemporaryFolder folder;
  const std::vector<GgufOutputTensor> tensors{{"t", DType::f32, {3}}};
  {
    const GgufWriter writer(folder / "half.gguf", {}, tensors);
  }
  EXPECT_TRUE(fs::is_empty(folder.path()));
  expect_error([&] { GgufWriter(folder / "no such folder" / "x.gguf", {}, tensors); }, "x.gguf: cannot create");
}

TEST(GgufWriter, WritesEmptyTensorsAndNone) {
  const TemporaryFolder folder;
  const std::vector<GgufOutputTensor> tensors{
      {"empty", DType::f32, {0}}, {"one", DType::f32, {1}}, {"empty too", DType::f16, {4, 0}}};
  GgufWriter writer(folder / "a.gguf", {}, tensors);
  const float one = 1;
  writer.write(std::as_bytes(std::span(&one, 1)));
  writer.commit();
  EXPECT_EQ(Gguf::open(folder / "a.gguf").tensors().size(), 3u);
  GgufWriter(folder / "b.gguf", {}, {}).commit();
  EXPECT_TRUE(Gguf::open(folder / "b.gguf").tensors().empty());
}

}  // namespace
}  // namespace rung
