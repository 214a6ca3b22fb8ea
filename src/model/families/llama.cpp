// Llama 2 and 3, SmolLM2, and whatever else is built like them.  (Touvron et al. 2023, arXiv:2307.09288;
// Grattafiori et al. 2024, arXiv:2407.21783)
#include <utility>

#include "model/families/common.h"
#include "model/families/families.h"

namespace rung {

namespace of_llama {

ModelPlan from_config(const Settings& c) {
  ModelPlan plan = plan_from_common_config(c, {.vocab_size = 32000,
                                               .hidden_size = 4096,
                                               .intermediate_size = 11008,
                                               .layers = 32,
                                               .heads = 32,
                                               .context = 2048,
                                               .kv_heads = {},
                                               .head_dim = {}});
  const Presence attention_bias = c.boolean("attention_bias", false) ? Presence::required : Presence::never;
  plan.layout.qkv_bias = attention_bias;
  plan.layout.output_bias = attention_bias;
  for (const bool sliding : sliding_layers(c, plan.config.layers.size(), [](std::size_t) { return false; })) {
    if (sliding) c.wrong("layer_types", "full_attention alone: this family has no windows");
  }
  plan.layout.mlp_bias = c.boolean("mlp_bias", false) ? Presence::required : Presence::never;
  return finish_silu_config(std::move(plan), c);
}

ModelPlan from_gguf(const Settings& g, const Gguf& gguf) {
  ModelPlan plan = plan_from_common_gguf(g, gguf);
  plan.layout.qkv_bias = plan.layout.output_bias = plan.layout.mlp_bias = Presence::optional;
  plan.layout.interleaved_qk = true;
  set_rope_from_gguf(plan.config, g, gguf, 10000);
  return plan;
}

void to_gguf(GgufModel& out, const Settings& c, const ModelConfig& m) {
  out.metadata.set_scalar(gguf_key(m, "rope.dimension_count"), static_cast<std::uint32_t>(m.head_dim));
  out.layout.interleaved_qk = true;
  set_rope_for_gguf(out, c, m, 10000);
}

}  // namespace of_llama

const Family llama{"llama", {"llama"}, of_llama::from_config, of_llama::from_gguf, of_llama::to_gguf};

}  // namespace rung
