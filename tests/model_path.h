// Where a model of the tests lies.
#pragma once

#include <filesystem>
#include <string>

#include "paths.h"

namespace rung {

// Of tests/golden/models: the .gguf in its folder, or the folder. And pebble.
inline std::filesystem::path model_path(const std::string& name) {
  if (name == "pebble") return source_folder() / "models" / name;
  const std::filesystem::path folder = golden_folder() / "models" / name;
  return std::filesystem::exists(folder / "model.gguf") ? folder / "model.gguf" : folder;
}

}  // namespace rung
