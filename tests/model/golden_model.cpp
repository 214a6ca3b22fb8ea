#include "model/golden_model.h"

#include <algorithm>
#include <fstream>
#include <iterator>

#include "model/families/families.h"
#include "paths.h"
#include "tensor/blocks.h"

namespace rung {

Json read_json(const std::filesystem::path& path) {
  std::ifstream in(path);
  const std::string text{std::istreambuf_iterator<char>(in), {}};
  return parse_json(text, path.string());
}

std::vector<float> read_values(const FileTensor& tensor) {
  std::vector<float> values(tensor.size());
  decode_row(values, tensor.dtype, tensor.bytes.data());
  return values;
}

std::vector<std::string> golden_folders(const std::string& part) {
  std::vector<std::string> names;
  for (const auto& entry : std::filesystem::directory_iterator(golden_folder() / part)) {
    if (entry.is_directory()) names.push_back(entry.path().filename().string());
  }
  std::sort(names.begin(), names.end());
  return names;
}

Golden::Golden(const std::filesystem::path& folder)
    : about(read_json(folder / "golden.json")), values(Safetensors::open(folder / "golden.safetensors")) {
  if (about.contains("rows")) rows = about["rows"].get<std::vector<std::size_t>>();
  if (about.contains("ids")) ids = about["ids"].get<std::vector<std::int32_t>>();
  for (const Json& checkpoint : about.value("checkpoints", Json::array())) order.push_back(checkpoint["name"]);
}

CheckpointValues Golden::official(const std::string& name) const {
  const FileTensor& tensor = values.tensors().at(name);
  return {tensor.shape, read_values(tensor)};
}

GoldenFiles::GoldenFiles(const std::filesystem::path& path, const std::string& config_name) {
  if (path.extension() == ".gguf") {
    gguf = Gguf::open(path);
    plan = plan_from_gguf(*gguf);
  } else {
    safetensors = Safetensors::open(path);
    plan = plan_from_config(read_json(path / config_name), (path / config_name).string());
  }
}

CheckpointValues kept_rows(const CheckpointValues& all, const std::vector<std::size_t>& rows) {
  if (all.rows() == rows.size()) return all;
  CheckpointValues kept{all.shape, {}};
  kept.shape[0] = rows.size();
  for (const std::size_t r : rows) kept.values.insert(kept.values.end(), all.row(r).begin(), all.row(r).end());
  return kept;
}

std::optional<Difference> run_and_compare(const Model& model, Ops& ops, const Golden& golden, std::size_t chunk) {
  Trace trace;
  TracedOps traced(ops, [&](const Checkpoint& at, const NamedTensor& x) { trace.add(at, x); });
  Forward forward(model, traced, golden.ids.size());
  KvCache cache(kv_shape(model.config));
  const std::size_t tokens = golden.ids.size();
  const std::size_t step = chunk == 0 ? tokens : chunk;
  for (std::size_t begin = 0; begin < tokens; begin += step) {
    Batch batch;
    for (std::size_t t = begin; t < std::min(begin + step, tokens); ++t) {
      batch.add(golden.ids[t], static_cast<std::uint32_t>(t), cache, true);
    }
    forward.run(batch);
  }
  std::map<std::string, CheckpointValues> ours = trace.checkpoints();
  if (!golden.rows.empty()) {
    for (auto& [name, values] : ours) values = kept_rows(values, golden.rows);
  }
  return compare_checkpoints(ours, golden.order, [&](const std::string& name) { return golden.official(name); });
}

}  // namespace rung
