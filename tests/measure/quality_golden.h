// tests/golden/perplexity: tiny models, what they say, and how well the official implementations find it foretold.
#pragma once

#include <filesystem>
#include <fstream>
#include <string>
#include <vector>

#include "base/json.h"
#include "engine/loaded_model.h"
#include "measure/perplexity.h"
#include "model_path.h"

namespace rung {

inline Json perplexity_cases() {
  std::ifstream file(golden_folder() / "perplexity" / "cases.json");
  return Json::parse(file);
}

// A model of golden/models, which has no tokenizer.
class BareModel {
 public:
  explicit BareModel(const std::string& name)
      : files_(ModelFiles::open(model_path(name))), model_(bind_weights(files_.plan(), files_.tensors())) {}
  const Model& model() const { return model_; }

 private:
  ModelFiles files_;
  Model model_;
};

inline WindowedText windowed(const Json& ids, std::vector<Window> windows) {
  return {ids.get<std::vector<TokenId>>(), std::move(windows), {}};
}

}  // namespace rung
