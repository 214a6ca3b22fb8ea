// What the families share when they read settings.
#pragma once

#include <cstddef>
#include <functional>
#include <optional>
#include <string>
#include <string_view>

#include "files/gguf.h"
#include "model/config.h"
#include "model/families/families.h"
#include "model/settings.h"

namespace rung {

// The sizes that an absent key of config.json stands for.
struct ConfigDefaults {
  std::size_t vocab_size, hidden_size, intermediate_size, layers, heads, context;
  std::optional<std::size_t> kv_heads;  // else: as many as heads
  std::optional<std::size_t> head_dim;  // else: hidden_size / heads
  bool tied = false;
};

// Sizes, epsilon, layers (whole context, scale 1/√head_dim), the names of tensors, and the keys that say nothing about
// the result.
ModelPlan plan_from_common_config(const Settings& config, const ConfigDefaults& defaults);
// `epsilon`: what the absent key of the norms' epsilon stands for; none: it may not be absent.
ModelPlan plan_from_common_gguf(const Settings& metadata, const Gguf& gguf, std::optional<float> epsilon = {});

// rope_parameters (as transformers 5 writes it), or rope_theta and rope_scaling (as before). One rope for every layer.
void set_rope_from_config(ModelConfig& model, const Settings& config, float default_theta);
// rope.freq_base, rope.scaling.*, and the divisors in the tensors rope_freqs.weight or
// rope_factors_{short,long}.weight.
void set_rope_from_gguf(ModelConfig& model, const Settings& metadata, const Gguf& gguf, float default_theta);

// use_sliding_window, sliding_window, max_window_layers, layer_types, as Qwen2 and Qwen3 have them.
void set_windows_from_config(ModelConfig& model, const Settings& config);

// What ends the configuration of Llama, Qwen2 and Qwen3: SiLU, one rope, and no key that was not understood.
ModelPlan finish_silu_config(ModelPlan plan, const Settings& config);

// The way to GGUF (to_gguf.cpp): sizes and epsilon; the rope of `config`, where `scaled` is its rope_parameters or
// rope_scaling.
WeightLayout gguf_layout();
void set_common_for_gguf(GgufModel& out, const ModelConfig& model);
void set_rope_for_gguf(GgufModel& out, const Settings& config, const std::optional<Settings>& scaled,
                       const ModelConfig& model, float default_theta);
void set_rope_for_gguf(GgufModel& out, const Settings& config, const ModelConfig& model, float default_theta);
void refuse_windows_for_gguf(const Settings& config, const ModelConfig& model);
std::string gguf_key(const ModelConfig& model, std::string_view key);  // "llama.context_length"

// Which layers are "sliding_attention"; `otherwise(i)` where layer_types is absent.
std::vector<bool> sliding_layers(const Settings& config, std::size_t layers,
                                 const std::function<bool(std::size_t)>& otherwise);

}  // namespace rung
