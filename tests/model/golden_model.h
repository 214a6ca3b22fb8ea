// The tiny models and the real ones of tests/golden, opened for a test.
#pragma once

#include <cstddef>
#include <cstdint>
#include <filesystem>
#include <optional>
#include <string>
#include <vector>

#include "base/json.h"
#include "base/threads.h"
#include "files/gguf.h"
#include "files/safetensors.h"
#include "model/checkpoints.h"
#include "model/forward.h"
#include "model/model.h"
#include "ops/reference.h"
#include "ops/traced.h"

namespace rung {

Json read_json(const std::filesystem::path& path);
std::vector<float> read_values(const FileTensor& tensor);

// tests/golden/<part>/: its folders, in order.
std::vector<std::string> golden_folders(const std::string& part);

// What the official implementation computes: golden.json and golden.safetensors.
struct Golden {
  explicit Golden(const std::filesystem::path& folder);
  Json about;
  std::vector<std::int32_t> ids;   // empty where the folder holds several prompts
  std::vector<std::size_t> rows;   // those of the prompt that it keeps; empty: all
  std::vector<std::string> order;  // checkpoint names as the forward pass meets them
  Safetensors values;
  CheckpointValues official(const std::string& name) const;
};

// A model of either file format, held open, so that a test may bind its weights again with one of them changed.
struct GoldenFiles {
  // A folder (with the configuration under `config_name`) or a .gguf file.
  explicit GoldenFiles(const std::filesystem::path& path, const std::string& config_name = "config.json");
  std::optional<Safetensors> safetensors;
  std::optional<Gguf> gguf;
  ModelPlan plan;
  const TensorMap& tensors() const { return gguf ? gguf->tensors() : safetensors->tensors(); }
};

// The rows of a checkpoint that a golden keeps. What comes after the last layer may have been computed for these alone.
CheckpointValues kept_rows(const CheckpointValues& all, const std::vector<std::size_t>& rows);

// Feeds the prompt in pieces of `chunk` rows (0: whole) and compares what passes by with the golden.
std::optional<Difference> run_and_compare(const Model& model, Ops& ops, const Golden& golden, std::size_t chunk = 0);

}  // namespace rung
