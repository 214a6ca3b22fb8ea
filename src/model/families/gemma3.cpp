// Gemma 3, text: local and global layers with a rope each, norms before and after each branch, a scaled embedding.
// (arXiv:2503.19786)
#include <fmt/format.h>

#include <cmath>
#include <utility>

#include "model/families/common.h"
#include "model/families/families.h"
#include "model/rope.h"

namespace rung {

namespace of_gemma3 {

constexpr float kGlobalTheta = 1'000'000;
constexpr float kLocalTheta = 10'000;
enum : std::size_t { kGlobal = 0, kLocal = 1 };

void set_common(ModelPlan& plan) {
  plan.config.mlp.activation = Activation::gelu_tanh;
  plan.config.embedding_scale = std::sqrt(static_cast<float>(plan.config.hidden_size));
  plan.layout.qk_norm = Presence::required;
  plan.layout.post_norms = Presence::required;
}

void set_layers(ModelConfig& m, const std::vector<bool>& sliding, std::size_t window, float query_scalar) {
  for (std::size_t i = 0; i < m.layers.size(); ++i) {
    m.layers[i].attention = {.scale = 1.0f / std::sqrt(query_scalar), .window_tokens = sliding[i] ? window : 0};
    m.layers[i].rope = sliding[i] ? kLocal : kGlobal;
  }
}

// Every pattern-th layer is global.
auto is_local(std::size_t pattern) {
  return [pattern](std::size_t i) { return (i + 1) % pattern != 0; };
}

void set_ropes(ModelConfig& m, const Settings& c) {
  const RopeContext global{c.number("rope_theta", kGlobalTheta), m.head_dim, m.context};
  const RopeContext local{c.number("rope_local_base_freq", kLocalTheta), m.head_dim, m.context};
  NamedRope global_rope{{plain_rope(global.theta, m.head_dim)}, fmt::format("theta {}", global.theta)};
  NamedRope local_rope{{plain_rope(local.theta, m.head_dim)}, fmt::format("theta {}", local.theta)};
  const auto now = c.object("rope_parameters");
  const auto before = c.object("rope_scaling");
  if (now) {
    if (const auto s = now->object("full_attention")) global_rope = scaled_rope(*s, global);
    if (const auto s = now->object("sliding_attention")) local_rope = scaled_rope(*s, local);
    now->finish();
  }
  if (before) global_rope = scaled_rope(*before, global);  // the local rope is never scaled
  m.ropes = {std::move(global_rope.rope), std::move(local_rope.rope)};
  m.rope_names = {"global: " + global_rope.name, "local: " + local_rope.name};
}

ModelPlan from_text_config(const Settings& c) {
  ModelPlan plan = plan_from_common_config(c, {.vocab_size = 262208,
                                               .hidden_size = 2304,
                                               .intermediate_size = 9216,
                                               .layers = 26,
                                               .heads = 8,
                                               .context = 131072,
                                               .kv_heads = 4,
                                               .head_dim = 256,
                                               .tied = true});
  set_common(plan);
  plan.layout.other_names = {{"ffn_norm", "pre_feedforward_layernorm"}};
  plan.layout.norm_plus_one = true;
  const Presence attention_bias = c.boolean("attention_bias", false) ? Presence::required : Presence::never;
  plan.layout.qkv_bias = attention_bias;
  plan.layout.output_bias = attention_bias;
  c.require("hidden_activation", "gelu_pytorch_tanh", "no other activation is known in this family");
  c.ignore({"hidden_act"});  // hidden_activation decides
  const std::size_t pattern = c.size("sliding_window_pattern", 6);
  const std::size_t window = c.size("sliding_window", 4096);
  set_layers(plan.config, sliding_layers(c, plan.config.layers.size(), is_local(pattern)), window,
             c.number("query_pre_attn_scalar", 256));
  set_ropes(plan.config, c);
  c.finish();
  return plan;
}

ModelPlan from_config(const Settings& c) {
  const auto text = c.object("text_config");
  if (!text) return from_text_config(c);
  ModelPlan plan = from_text_config(*text);  // the pictures' half of a multimodal model is left alone
  // The head belongs to the whole: what text_config says about it counts for nothing.
  plan.layout.head = c.boolean("tie_word_embeddings", true) ? Head::tied : Head::own;
  // As the hub has it, and as some versions of transformers save it.
  plan.layout.renamed_prefixes = {{"language_model.model.", "model."},
                                  {"model.language_model.", "model."},
                                  {"language_model.lm_head.", "lm_head."}};
  plan.layout.left_out_prefixes = {"vision_tower.", "multi_modal_projector.", "model.vision_tower.",
                                   "model.multi_modal_projector."};
  return plan;
}

// The key holds "every n-th is global", or true for each local layer.
std::vector<bool> local_layers(const Settings& g, std::size_t layers) {
  constexpr std::string_view kKey = "attention.sliding_window_pattern";
  if (auto listed = g.booleans_if(kKey)) {
    if (listed->size() != layers) g.wrong(kKey, fmt::format("one for each of the {} layers", layers));
    return *listed;
  }
  const std::size_t pattern = g.size(kKey, 6);
  std::vector<bool> local(layers);
  for (std::size_t i = 0; i < layers; ++i) local[i] = is_local(pattern)(i);
  return local;
}

// Ollama's conversions (ollama: convert/convert_gemma3.go, and llama/compat, which lists what older ones wrote) leave
// out what every Gemma 3 has, the norms' epsilon first of all, and of the models that see the scaling of the global
// rope too: these are the ones with a context of 131,072.
void set_ropes_from_gguf(ModelConfig& m, const Settings& g, const Gguf& gguf) {
  set_rope_from_gguf(m, g, gguf, g.number("rope.global.freq_base", kGlobalTheta));
  const bool ollamas = !g.has("attention.layer_norm_rms_epsilon");
  if (ollamas && m.context >= 131'072 && !g.has("rope.scaling.type")) {
    for (float& f : m.ropes[0].usual.inverse_frequencies) f /= 8;
    m.rope_names[0] = "linear ×8, " + m.rope_names[0];
  }
  const float local_theta = g.number("rope.freq_base_swa", g.number("rope.local.freq_base", kLocalTheta));
  m.ropes.push_back({plain_rope(local_theta, m.head_dim)});
  m.rope_names = {"global: " + m.rope_names[0], fmt::format("local: theta {}", local_theta)};
}

ModelPlan from_gguf(const Settings& g, const Gguf& gguf) {
  ModelPlan plan = plan_from_common_gguf(g, gguf, 1e-6f);
  ModelConfig& m = plan.config;
  set_common(plan);
  // `attention_bias` has no key: its tensors say it
  plan.layout.qkv_bias = plan.layout.output_bias = Presence::optional;
  set_ropes_from_gguf(m, g, gguf);
  // Neither the pattern nor the query's scale is always in the file. llama.cpp: every 6th layer is global, and the
  // query is scaled by head_dim but in the 27B model, which alone has 62 layers, by hidden_size / heads.
  const auto scale = g.number_if("attention.scale");
  float query_scalar = static_cast<float>(m.layers.size() == 62 ? m.hidden_size / m.heads : m.head_dim);
  if (scale) query_scalar = static_cast<float>(1.0 / (*scale * *scale));
  set_layers(m, local_layers(g, m.layers.size()), g.size("attention.sliding_window", 4096), query_scalar);
  return plan;
}

// Which layers are local: every n-th is global, or a list. Readers that find neither take every 6th.
void set_pattern_for_gguf(GgufModel& out, const ModelConfig& m) {
  std::vector<bool> local;
  for (const LayerConfig& layer : m.layers) local.push_back(layer.rope == kLocal);
  const auto fits = [&](std::size_t pattern) {
    for (std::size_t i = 0; i < local.size(); ++i) {
      if (local[i] != is_local(pattern)(i)) return false;
    }
    return true;
  };
  if (fits(6)) return;
  for (std::size_t pattern = 1; pattern <= local.size() + 1; ++pattern) {
    if (!fits(pattern)) continue;
    out.metadata.set_scalar(gguf_key(m, "attention.sliding_window_pattern"), static_cast<std::uint32_t>(pattern));
    return;
  }
  out.metadata.set_array(gguf_key(m, "attention.sliding_window_pattern"), local);
}

void text_to_gguf(GgufModel& out, const Settings& c, const ModelConfig& m) {
  const float scale = m.layers[0].attention.scale;
  for (const LayerConfig& layer : m.layers) {
    if (layer.rope != kLocal) continue;
    out.metadata.set_scalar(gguf_key(m, "attention.sliding_window"),
                            static_cast<std::uint32_t>(layer.attention.window_tokens));
    set_pattern_for_gguf(out, m);
    break;
  }
  const float query_scalar = static_cast<float>(m.layers.size() == 62 ? m.hidden_size / m.heads : m.head_dim);
  if (std::fabs(scale * std::sqrt(query_scalar) - 1) > 1e-6f) {
    out.metadata.set_scalar(gguf_key(m, "attention.scale"), scale);
  }
  const auto now = c.object("rope_parameters"), before = c.object("rope_scaling");
  set_rope_for_gguf(out, c, before ? before : now ? now->object("full_attention") : std::nullopt, m, kGlobalTheta);
  float local_theta = c.number("rope_local_base_freq", kLocalTheta);
  if (const auto s = now ? now->object("sliding_attention") : std::nullopt) {
    local_theta = s->number("rope_theta", local_theta);
    s->require("rope_type", "default", "GGUF cannot say that the local rope is scaled");
  }
  if (local_theta != kLocalTheta) out.metadata.set_scalar(gguf_key(m, "rope.freq_base_swa"), local_theta);
}

void to_gguf(GgufModel& out, const Settings& c, const ModelConfig& m) {
  const auto text = c.object("text_config");
  text_to_gguf(out, text ? *text : c, m);
}

}  // namespace of_gemma3

const Family gemma3{
    "gemma3", {"gemma3_text", "gemma3"}, of_gemma3::from_config, of_gemma3::from_gguf, of_gemma3::to_gguf};

}  // namespace rung
