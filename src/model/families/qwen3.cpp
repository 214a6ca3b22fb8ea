// Qwen3, dense: queries and keys are normalised per head.  (Yang et al. 2025, arXiv:2505.09388)
#include <utility>

#include "model/families/common.h"
#include "model/families/families.h"

namespace rung {

namespace of_qwen3 {

ModelPlan from_config(const Settings& c) {
  ModelPlan plan = plan_from_common_config(c, {.vocab_size = 151936,
                                               .hidden_size = 4096,
                                               .intermediate_size = 22016,
                                               .layers = 32,
                                               .heads = 32,
                                               .context = 32768,
                                               .kv_heads = 32,
                                               .head_dim = 128});
  const Presence attention_bias = c.boolean("attention_bias", false) ? Presence::required : Presence::never;
  plan.layout.qkv_bias = attention_bias;
  plan.layout.output_bias = attention_bias;
  plan.layout.qk_norm = Presence::required;
  set_windows_from_config(plan.config, c);
  return finish_silu_config(std::move(plan), c);
}

ModelPlan from_gguf(const Settings& g, const Gguf& gguf) {
  ModelPlan plan = plan_from_common_gguf(g, gguf);
  plan.layout.qkv_bias = plan.layout.output_bias = Presence::optional;
  plan.layout.qk_norm = Presence::required;
  set_rope_from_gguf(plan.config, g, gguf, 10000);
  return plan;
}

void to_gguf(GgufModel& out, const Settings& c, const ModelConfig& m) {
  refuse_windows_for_gguf(c, m);
  set_rope_for_gguf(out, c, m, 10000);
}

}  // namespace of_qwen3

const Family qwen3{"qwen3", {"qwen3"}, of_qwen3::from_config, of_qwen3::from_gguf, of_qwen3::to_gguf};

}  // namespace rung
