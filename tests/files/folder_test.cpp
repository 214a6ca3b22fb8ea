// A model's folder, on the disk and compiled into the program: the loaders see no difference.
#include "files/folder.h"

#include <gtest/gtest.h>

#include <fstream>
#include <iterator>
#include <string>
#include <vector>

#include "files/expect_error.h"
#include "files/safetensors.h"
#include "files/temporary_folder.h"
#include "paths.h"

namespace rung {
namespace {

std::string bytes_of(const std::filesystem::path& path) {
  std::ifstream file(path, std::ios::binary);
  return {std::istreambuf_iterator<char>(file), {}};
}

TEST(FolderOfFiles, OnTheDiskHasWhatLiesThere) {
  const TemporaryFolder place;
  std::ofstream(place / "config.json") << "{}";
  const Folder folder(place.path());
  EXPECT_TRUE(folder.exists());
  EXPECT_TRUE(folder.has("config.json"));
  EXPECT_FALSE(folder.has("tokenizer.json"));
  EXPECT_EQ(folder.names_in(""), std::vector<std::string>{"config.json"});
  EXPECT_EQ(folder.open("config.json").text(), "{}");
  expect_error([&] { folder.open("tokenizer.json"); }, "tokenizer.json: No such file or directory");
  EXPECT_FALSE(Folder(place / "absent").exists());
}

TEST(FolderOfFiles, ALinkToWhatIsNotThereIsNoFileThatIsMissing) {
  const TemporaryFolder place;
  std::filesystem::create_symlink("../../blobs/abc", place / "generation_config.json");
  const Folder folder(place.path());
  const std::string said = "generation_config.json: a link to ../../blobs/abc, which is not there";
  expect_error([&] { folder.has("generation_config.json"); }, said);
  expect_error([&] { folder.open("generation_config.json"); }, said);
  std::ofstream(place / "target") << "{}";
  std::filesystem::create_symlink("target", place / "config.json");
  EXPECT_TRUE(folder.has("config.json"));
}

TEST(FolderOfFiles, CompiledInIsReadFromMemory) {
  const std::string weights = bytes_of(golden_folder() / "files" / "whole.safetensors");
  const std::string config = "{}";
  const CompiledFile files[]{{"config.json", std::as_bytes(std::span(config))},
                             {"model.safetensors", std::as_bytes(std::span(weights))}};
  const Folder folder("small", files);
  EXPECT_TRUE(folder.exists());
  EXPECT_TRUE(folder.has("config.json"));
  EXPECT_FALSE(folder.has("model.safetensors.index.json"));
  EXPECT_EQ(folder.names_in(""), (std::vector<std::string>{"config.json", "model.safetensors"}));
  EXPECT_EQ(folder.open("config.json").text(), "{}");
  expect_error([&] { folder.open("tokenizer.json"); }, "small/tokenizer.json: No such file or directory");

  const Safetensors opened = Safetensors::open(folder);
  const Safetensors expected = Safetensors::open(golden_folder() / "files" / "whole.safetensors");
  EXPECT_EQ(opened.tensors().size(), expected.tensors().size());
  for (const auto& [name, tensor] : expected.tensors()) {
    const FileTensor& found = opened.tensors().at(name);
    EXPECT_EQ(found.shape, tensor.shape) << name;
    EXPECT_TRUE(std::equal(found.bytes.begin(), found.bytes.end(), tensor.bytes.begin(), tensor.bytes.end())) << name;
    EXPECT_EQ(found.file, "small/model.safetensors");
  }
}

}  // namespace
}  // namespace rung
