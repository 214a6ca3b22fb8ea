// tests/golden/perplexity: tiny models, what they say, and how well the official implementations find it foretold.
#pragma once

#include <filesystem>
#include <fstream>
#include <string>
#include <vector>

#include "base/json.h"
#include "engine/loaded_model.h"
#include "measure/perplexity.h"
#include "paths.h"

namespace rung {

inline Json perplexity_cases() {
  std::ifstream file(golden_folder() / "perplexity" / "cases.json");
  return Json::parse(file);
}

// A model of golden/models, which has no tokenizer.
class BareModel {
 public:
  explicit BareModel(const std::string& name)
      : files_(ModelFiles::open(path_of(name))), model_(bind_weights(files_.plan(), files_.tensors())) {}
  const Model& model() const { return model_; }

 private:
  static std::filesystem::path path_of(const std::string& name) {
    const std::filesystem::path folder = golden_folder() / "models" / name;
    return std::filesystem::exists(folder / "model.gguf") ? folder / "model.gguf" : folder;
  }
  ModelFiles files_;
  Model model_;
};

inline WindowedText windowed(const Json& ids, std::vector<Window> windows) {
  return {ids.get<std::vector<TokenId>>(), std::move(windows), {}};
}

}  // namespace rung
