// Each tiny model of the hub, written as a GGUF file and read again, computes what the official implementation does
// with the folder: names, the order of q and k, Gemma's norms, ropes, windows and biases all arrived.
#include <gtest/gtest.h>

#include <algorithm>

#include "convert/quantize.h"
#include "files/expect_error.h"
#include "files/temporary_folder.h"
#include "model/golden_model.h"
#include "paths.h"

namespace rung {
namespace {

namespace fs = std::filesystem;

void write_as(const fs::path& model, std::string_view format, const fs::path& out) {
  const ModelFiles files = ModelFiles::open(model);
  const GgufOutline outline = outline_gguf(files);
  ThreadTeam team(2);
  quantize(outline, choose_types(quantize_format(format), outline.tensors, false), {}, out, team, {});
}

std::vector<std::string> folders() {
  std::vector<std::string> found;
  for (const std::string& name : golden_folders("models")) {
    if (!name.ends_with("-gguf")) found.push_back(name);
  }
  return found;
}

class GgufOfFolder : public testing::TestWithParam<std::string> {
 protected:
  const fs::path model = golden_folder() / "models" / GetParam();
  const TemporaryFolder folder;
};

// What a GGUF file has no key for: windows but Gemma 3's, a YaRN that does not round the dimensions at which it begins
// and ends, and a base that grows with the text.
const char* without_a_key(std::string_view name) {
  if (name == "llama-dynamic") return "GGUF has no key for dynamic rope scaling";
  if (name.ends_with("-window")) return "use_sliding_window: GGUF has no key";
  return name == "llama-yarn" ? "truncate" : nullptr;
}

TEST_P(GgufOfFolder, ComputesTheSame) {
  if (const char* refusal = without_a_key(GetParam())) {
    expect_error([&] { write_as(model, "f32", folder / "model.gguf"); }, refusal);
    EXPECT_TRUE(fs::is_empty(folder.path()));
    return;
  }
  std::vector<const char*> lossless = {"f32"};
  const ModelFiles files = ModelFiles::open(model);
  const auto is_bf16 = [](const auto& named) { return named.second.dtype == DType::bf16; };
  if (std::all_of(files.tensors().begin(), files.tensors().end(), is_bf16)) lossless.push_back("bf16");
  for (const char* format : lossless) {
    write_as(model, format, folder / "model.gguf");
    const GoldenFiles ours(folder / "model.gguf");
    ThreadTeam team(2);
    ReferenceOps ops(team);
    const auto difference = run_and_compare(bind_weights(ours.plan, ours.tensors()), ops, Golden(model));
    EXPECT_FALSE(difference) << format << ": " << difference->text();
  }
}

// Written once more from the GGUF, nothing changes: what is of the right type is copied.
TEST_P(GgufOfFolder, StaysWhatItIsWhenItIsWrittenAgain) {
  if (without_a_key(GetParam())) return;
  write_as(model, "f16", folder / "once.gguf");
  write_as(folder / "once.gguf", "f16", folder / "twice.gguf");
  const Gguf once = Gguf::open(folder / "once.gguf"), twice = Gguf::open(folder / "twice.gguf");
  EXPECT_EQ(once.metadata().size(), twice.metadata().size());
  ASSERT_EQ(once.tensors().size(), twice.tensors().size());
  for (const auto& [name, tensor] : once.tensors()) {
    const FileTensor& again = twice.tensors().at(name);
    EXPECT_EQ(again.dtype, tensor.dtype) << name;
    EXPECT_TRUE(std::equal(tensor.bytes.begin(), tensor.bytes.end(), again.bytes.begin(), again.bytes.end())) << name;
  }
}

INSTANTIATE_TEST_SUITE_P(Models, GgufOfFolder, testing::ValuesIn(folders()), [](const auto& test) {
  std::string name = test.param;
  std::replace(name.begin(), name.end(), '-', '_');
  return name;
});

}  // namespace
}  // namespace rung
