// The families that Rung knows, each a translation from a file's settings to a ModelPlan. Their names are known here
// and nowhere else.
#pragma once

#include <map>
#include <span>
#include <string>
#include <string_view>
#include <vector>

#include "files/gguf.h"
#include "files/write_gguf.h"
#include "model/config.h"
#include "model/settings.h"

namespace rung {

// How a GGUF file says what a config.json says.
struct GgufModel {
  GgufMetadata metadata;  // general.architecture and the keys of the architecture
  WeightLayout layout;    // how it spells the tensors, and what is folded
  // what divides the rope's frequencies: rope_freqs.weight (Llama 3's scaling), rope_factors_short.weight, …
  std::map<std::string, std::vector<float>> rope_divisors = {};
};

struct Family {
  std::string_view name;                      // GGUF's general.architecture
  std::vector<std::string_view> model_types;  // config.json's model_type
  ModelPlan (*from_config)(const Settings& config);
  ModelPlan (*from_gguf)(const Settings& metadata, const Gguf& gguf);
  // what is not the same in all families
  void (*to_gguf)(GgufModel& out, const Settings& config, const ModelConfig& model);
};

std::span<const Family> families();

// config.json → plan. Throws Error: an unknown family, a setting that is missing, out of bounds, contradictory or not
// understood.
ModelPlan plan_from_config(const Json& config, const std::string& where);
ModelPlan plan_from_gguf(const Gguf& gguf);
// config.json and the plan that was made of it → GGUF. Throws Error: what GGUF has no key for.
GgufModel gguf_from_config(const Json& config, const std::string& where, const ModelConfig& model);

extern const Family llama;
extern const Family qwen2;
extern const Family qwen3;
extern const Family gemma3;

}  // namespace rung
