// Whether the head is the embedding, in every combination of what config.json says and what the file holds, as
// transformers decides it; and a GGUF made of the folder keeps what the model has. Made by tools/goldens/tying.py.
#include <gtest/gtest.h>

#include <fstream>

#include "convert/quantize.h"
#include "files/expect_error.h"
#include "files/temporary_folder.h"
#include "files/write_safetensors.h"
#include "model/golden_model.h"
#include "paths.h"

namespace rung {
namespace {

namespace fs = std::filesystem;

const fs::path golden = golden_folder() / "tying";

// The folder that a case describes.
void write_folder(const Json& test, const fs::path& folder) {
  std::ofstream(folder / "config.json") << test["config"].dump();
  const Safetensors all = Safetensors::open(golden / (test["model"].get<std::string>() + ".safetensors"));
  const FileTensor* embedding = nullptr;
  for (const auto& [name, tensor] : all.tensors()) {
    if (name.ends_with("embed_tokens.weight")) embedding = &tensor;
  }
  std::vector<std::vector<float>> values;
  std::vector<OutputTensor> held;
  values.reserve(all.tensors().size());
  for (const auto& [name, tensor] : all.tensors()) {
    const bool is_head = name.ends_with("lm_head.weight");
    if (&tensor == embedding && !test["embedding"]) continue;
    if (is_head && test["head"].is_null()) continue;
    values.push_back(read_values(is_head && test["head"] == "equal" ? *embedding : tensor));
    held.push_back({.name = name, .shape = tensor.shape, .axes = {}, .values = values.back()});
  }
  write_safetensors(folder / "model.safetensors", held);
}

// The rows of logits are the official ones.
void expect_official(const fs::path& path, const std::vector<std::int32_t>& ids, const CheckpointValues& official) {
  const GoldenFiles files(path);
  const Model model = bind_weights(files.plan, files.tensors());
  ThreadTeam team(1);
  ReferenceOps ops(team);
  Forward forward(model, ops);
  KvCache cache(kv_shape(model.config));
  Batch batch;
  for (const std::int32_t id : ids) batch.add(id, static_cast<std::uint32_t>(batch.ids.size()), cache, true);
  const auto ours = forward.run(batch);
  for (std::size_t t = 0; t < ids.size(); ++t) {
    EXPECT_LE(relative_distance(ours[t].span(), official.row(t)), kRowTolerance) << "token " << t;
  }
}

TEST(Tying, IsWhatTransformersMakesOfIt) {
  const Json all = read_json(golden / "cases.json");
  const Safetensors logits = Safetensors::open(golden / "logits.safetensors");
  const auto ids = all["ids"].get<std::vector<std::int32_t>>();
  ThreadTeam team(1);
  ASSERT_GT(all["cases"].size(), 60u);
  for (const Json& test : all["cases"]) {
    const std::string name = test["name"];
    SCOPED_TRACE(name);
    const TemporaryFolder folder;
    write_folder(test, folder.path());
    if (test.contains("missing")) {  // transformers goes on with random numbers in their place
      const GoldenFiles files(folder.path());
      expect_error([&] { bind_weights(files.plan, files.tensors()); }, ".weight' is missing");
      continue;
    }
    const FileTensor& rows = logits.tensors().at(name);
    const CheckpointValues official{rows.shape, read_values(rows)};
    expect_official(folder.path(), ids, official);

    const ModelFiles model = ModelFiles::open(folder.path());
    const GgufOutline outline = outline_gguf(model);
    quantize(outline, choose_types(quantize_format("f32"), outline.tensors, false), {}, folder / "model.gguf", team,
             {});
    expect_official(folder / "model.gguf", ids, official);
  }
}

// One tensor under both names, in a model that says that they are one, is written and counted once.
TEST(Tying, EqualTensorsAreOne) {
  const Json all = read_json(golden / "cases.json");
  for (const Json& test : all["cases"]) {
    if (test["name"] != "llama: tie True; file: embedding, equal head") continue;
    const TemporaryFolder folder;
    write_folder(test, folder.path());
    const GoldenFiles files(folder.path());
    EXPECT_TRUE(bind_weights(files.plan, files.tensors()).tied);
    const ModelFiles model = ModelFiles::open(folder.path());
    const GgufOutline outline = outline_gguf(model);
    for (const SourceTensor& tensor : outline.tensors) EXPECT_NE(tensor.name, "output.weight");
    return;
  }
  FAIL() << "no such case";
}

}  // namespace
}  // namespace rung
