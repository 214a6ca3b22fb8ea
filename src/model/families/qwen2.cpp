// Qwen2 and 2.5: biases on q, k and v.  (Yang et al. 2024, arXiv:2407.10671)
#include <utility>

#include "model/families/common.h"
#include "model/families/families.h"

namespace rung {

namespace of_qwen2 {

ModelPlan from_config(const Settings& c) {
  ModelPlan plan = plan_from_common_config(c, {.vocab_size = 151936,
                                               .hidden_size = 4096,
                                               .intermediate_size = 22016,
                                               .layers = 32,
                                               .heads = 32,
                                               .context = 32768,
                                               .kv_heads = 32,
                                               .head_dim = {}});
  plan.layout.qkv_bias = Presence::required;
  set_windows_from_config(plan.config, c);
  return finish_silu_config(std::move(plan), c);
}

ModelPlan from_gguf(const Settings& g, const Gguf& gguf) {
  ModelPlan plan = plan_from_common_gguf(g, gguf);
  plan.layout.qkv_bias = Presence::required;
  set_rope_from_gguf(plan.config, g, gguf, 10000);
  return plan;
}

void to_gguf(GgufModel& out, const Settings& c, const ModelConfig& m) {
  refuse_windows_for_gguf(c, m);
  set_rope_for_gguf(out, c, m, 10000);
}

}  // namespace of_qwen2

const Family qwen2{"qwen2", {"qwen2"}, of_qwen2::from_config, of_qwen2::from_gguf, of_qwen2::to_gguf};

}  // namespace rung
