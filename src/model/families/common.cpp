#include "model/families/common.h"

#include <fmt/ranges.h>

#include <cmath>
#include <vector>

#include "base/error.h"
#include "model/rope.h"
#include "tensor/blocks.h"

namespace rung {

namespace {

// Of training, of generation (read elsewhere), of bookkeeping: the forward pass is the same whatever they say.
void ignore_what_says_nothing(const Settings& c) {
  c.ignore({"architectures",
            "model_type",
            "_name_or_path",
            "name_or_path",
            "_model_name_or_path",
            "torch_dtype",
            "dtype",
            "transformers_version",
            "use_cache",
            "initializer_range",
            "attention_dropout",
            "hidden_dropout",
            "bos_token_id",
            "eos_token_id",
            "pad_token_id",
            "unk_token_id",
            "decoder_start_token_id",
            "attn_implementation",
            "_attn_implementation",
            "_attn_implementation_autoset",
            "is_llama_config",
            "transformers.js_config",
            "task_specific_params",
            "id2label",
            "label2id",
            "return_dict",
            "output_attentions",
            "output_hidden_states",
            "torchscript",
            "chunk_size_feed_forward",
            "problem_type",
            "finetuning_task",
            "unsloth_version",
            "unsloth_fixed",
            "cache_implementation",
            "keys_to_ignore_at_inference",
            "temperature",
            "top_k",
            "top_p",
            "max_length",
            "min_length",
            "do_sample",
            "repetition_penalty",
            "num_beams",
            "num_beam_groups",
            "num_return_sequences",
            "no_repeat_ngram_size",
            "early_stopping",
            "length_penalty",
            "diversity_penalty",
            "typical_p",
            "encoder_no_repeat_ngram_size",
            "is_decoder",
            "max_sequence_length",
            "model_max_length",
            "_sliding_window_pattern",
            "tokenizer_class",
            "pretraining_tp"});  // how the training split its products: the official implementation sums them whole
  // What a family that lacks it may still say of itself.
  c.require_unless_read("attn_logit_softcapping", 0, "scores are not capped in this family");
  c.require_unless_read("final_logit_softcapping", 0, "logits are not capped in this family");
  c.require_unless_read("num_experts", 0, "a mixture of experts is not run");
  c.require_unless_read("num_local_experts", 0, "a mixture of experts is not run");
  c.require_unless_read("num_experts_per_tok", 0, "a mixture of experts is not run");
}

// What no single key can say wrong but several together can.
void check_sizes(const ModelConfig& m, const std::string& where) {
  if (m.heads % m.kv_heads != 0) {
    fail("{}: {} heads cannot share {} key/value heads evenly", where, m.heads, m.kv_heads);
  }
  if (m.head_dim % 2 != 0) fail("{}: head_dim is {}, expected an even number (RoPE turns pairs)", where, m.head_dim);
  constexpr std::size_t kLargestHead = 65'536;  // a table is made of it before any tensor is looked at
  if (m.head_dim > kLargestHead) fail("{}: head_dim is {}, expected at most {}", where, m.head_dim, kLargestHead);
}

// Whole contexts, the usual scale 1/√head_dim. A file that claims billions of layers gets no memory for them.
void set_layers(ModelConfig& m, std::size_t count, const Settings& settings, std::string_view key) {
  constexpr std::size_t kMostLayers = 10'000;
  if (count > kMostLayers) settings.wrong(key, fmt::format("at most {}", kMostLayers));
  m.layers.assign(count, {.attention = {.scale = 1.0f / std::sqrt(static_cast<float>(m.head_dim))}});
}

}  // namespace

WeightLayout gguf_layout() {
  return {.spelling = Spelling::gguf,
          .ignored_prefixes = {"rope_freqs.weight", "rope_factors_"},  // read where the rope is made
          .left_out_prefixes = {"v.", "mm."}};
}

ModelPlan plan_from_common_config(const Settings& c, const ConfigDefaults& d) {
  ignore_what_says_nothing(c);
  ModelPlan plan;
  ModelConfig& m = plan.config;
  m.vocab_size = c.size("vocab_size", d.vocab_size);
  m.hidden_size = c.size("hidden_size", d.hidden_size);
  m.mlp.intermediate_size = c.size("intermediate_size", d.intermediate_size);
  m.heads = c.size("num_attention_heads", d.heads);
  // null is "as many as heads" in every family, absence is what the family's default says
  m.kv_heads = c.size("num_key_value_heads", c.is_null("num_key_value_heads") ? m.heads : d.kv_heads.value_or(m.heads));
  m.context = c.size("max_position_embeddings", d.context);
  m.norm_epsilon = c.number("rms_norm_eps", 1e-6f);
  const auto head_dim = c.size_if("head_dim");
  if (!head_dim && !d.head_dim && m.hidden_size % m.heads != 0) {
    fail("{}: hidden_size {} is no multiple of the {} heads, and head_dim is not given", c.where(), m.hidden_size,
         m.heads);
  }
  m.head_dim = head_dim ? *head_dim : d.head_dim.value_or(m.hidden_size / m.heads);
  set_layers(m, c.size("num_hidden_layers", d.layers), c, "num_hidden_layers");
  plan.layout.head = c.boolean("tie_word_embeddings", d.tied) ? Head::tied : Head::own;
  check_sizes(m, c.where());
  return plan;
}

ModelPlan plan_from_common_gguf(const Settings& g, const Gguf& gguf, std::optional<float> epsilon) {
  ModelPlan plan{.config = {}, .layout = gguf_layout()};
  ModelConfig& m = plan.config;
  m.hidden_size = g.size("embedding_length");
  m.mlp.intermediate_size = g.size("feed_forward_length");
  m.heads = g.size("attention.head_count");
  m.kv_heads = g.size("attention.head_count_kv", m.heads);
  m.context = g.size("context_length");
  m.norm_epsilon =
      epsilon ? g.number("attention.layer_norm_rms_epsilon", *epsilon) : g.number("attention.layer_norm_rms_epsilon");
  m.head_dim = g.size("attention.key_length", m.hidden_size / m.heads);
  if (m.head_dim == 0) {
    g.wrong("attention.head_count", fmt::format("at most embedding_length, which is {}", m.hidden_size));
  }
  set_layers(m, g.size("block_count"), g, "block_count");
  g.require("attention.value_length", m.head_dim, "values are as long as keys");
  g.require("rope.dimension_count", m.head_dim, "only whole heads are turned");
  g.require("attention.causal", true, "every token sees those before it, and no others");
  g.require_unless_read("expert_count", 0, "a mixture of experts is not run");
  g.require_unless_read("expert_used_count", 0, "a mixture of experts is not run");
  g.require_unless_read("attn_logit_softcapping", 0, "scores are not capped in this family");
  g.require_unless_read("final_logit_softcapping", 0, "logits are not capped in this family");
  g.ignore({"vocab_size"});
  // of the parts for pictures, which are left out
  g.ignore_beginning_with("vision.");
  g.ignore_beginning_with("mm.");
  // The rows of the embedding say how large the vocabulary is: the key is often absent, and llama.cpp too goes by the
  // tensor.
  const FileTensor* embedding = find_tensor(gguf.tensors(), "token_embd.weight");
  if (embedding == nullptr) fail("{}: tensor 'token_embd.weight' is missing", gguf.file());
  if (embedding->shape.size() != 2 || embedding->shape[0] == 0) {
    fail("{}: tensor 'token_embd.weight' is [{}], expected [tokens, {}]", gguf.file(),
         fmt::join(embedding->shape, ", "), m.hidden_size);
  }
  m.vocab_size = embedding->shape[0];
  check_sizes(m, gguf.file());
  return plan;
}

void set_rope_from_config(ModelConfig& m, const Settings& c, float default_theta) {
  const RopeContext context{c.number("rope_theta", default_theta), m.head_dim, m.context,
                            c.size_if("original_max_position_embeddings")};
  const auto now = c.object("rope_parameters");
  const auto before = c.object("rope_scaling");
  c.require("partial_rotary_factor", 1.0, "only whole heads are turned");
  c.require("rope_interleaved", false, "pairs are half a head apart");
  NamedRope rope{{plain_rope(context.theta, m.head_dim)}, fmt::format("theta {}", context.theta)};
  if (before) {
    rope = scaled_rope(*before, context);  // the official order: rope_scaling, where a file has both
  } else if (now) {
    rope = scaled_rope(*now, context);
  }
  m.ropes = {std::move(rope.rope)};
  m.rope_names = {std::move(rope.name)};
}

namespace {

// A tensor of divisors, one for each frequency, as the conversions from the hub write what no key can say.
std::optional<std::vector<float>> divisors_in(const Gguf& gguf, const char* name, std::size_t count) {
  const auto found = gguf.tensors().find(name);
  if (found == gguf.tensors().end()) return {};
  const FileTensor& t = found->second;
  if (t.shape != std::vector<std::size_t>{count}) {
    fail("{}: tensor '{}' has {} values, expected {} (head_dim / 2)", t.file, name, t.size(), count);
  }
  std::vector<float> values(count);
  decode_row(values, t.dtype, t.bytes.data());
  for (const float v : values) {
    if (!(v > 0)) fail("{}: tensor '{}' holds {}, expected positive numbers", t.file, name, v);
  }
  return values;
}

Rope yarn_from_gguf(const Settings& g, float factor, std::size_t original, float theta, std::size_t head_dim) {
  const Yarn yarn{.factor = factor,
                  .original_positions = static_cast<float>(original),
                  .beta_fast = g.number("rope.scaling.yarn_beta_fast", 32),
                  .beta_slow = g.number("rope.scaling.yarn_beta_slow", 1)};
  const float attention_factor = g.number("rope.scaling.attn_factor", g.number("rope.scaling.yarn_attn_factor", 1));
  return yarn_rope(yarn, attention_factor * yarn_attention_factor(factor), theta, head_dim);
}

SessionRope longrope_from_gguf(const Settings& g, const Gguf& gguf, std::size_t original, float theta,
                               std::size_t head_dim) {
  g.require("rope.scaling.factor", 1, "longrope's factors are tensors");
  const auto short_factors = divisors_in(gguf, "rope_factors_short.weight", head_dim / 2),
             long_factors = divisors_in(gguf, "rope_factors_long.weight", head_dim / 2);
  if (!short_factors || !long_factors) {
    fail("{}: longrope needs the tensors 'rope_factors_short.weight' and 'rope_factors_long.weight'", gguf.file());
  }
  return longrope(*short_factors, *long_factors, original, g.number("rope.scaling.attn_factor", 1), theta, head_dim);
}

}  // namespace

void set_rope_from_gguf(ModelConfig& m, const Settings& g, const Gguf& gguf, float default_theta) {
  const float theta = g.number("rope.freq_base", default_theta);
  const std::string type = g.text("rope.scaling.type").value_or(g.has("rope.scale_linear") ? "linear" : "none");
  const float factor = g.number("rope.scaling.factor", g.number("rope.scale_linear", 1));
  const std::size_t original = g.size("rope.scaling.original_context_length", m.context);
  SessionRope rope{plain_rope(theta, m.head_dim)};
  std::string name = fmt::format("theta {}", theta);
  if (type == "linear") {
    for (float& f : rope.usual.inverse_frequencies) f /= factor;
  } else if (type == "yarn") {
    rope.usual = yarn_from_gguf(g, factor, original, theta, m.head_dim);
  } else if (type == "longrope") {
    rope = longrope_from_gguf(g, gguf, original, theta, m.head_dim);
    name = fmt::format("longrope, long factors beyond {} tokens, {}", original, name);
  } else if (type != "none") {
    g.wrong("rope.scaling.type", "none, linear, yarn or longrope");
  }
  if (type != "longrope" && gguf.tensors().contains("rope_factors_long.weight")) {
    g.wrong("rope.scaling.type", "longrope, since there is a tensor 'rope_factors_long.weight'");
  }
  if (type == "linear" || type == "yarn") name = fmt::format("{} ×{}, {}", type, factor, name);
  g.ignore({"rope.scaling.finetuned"});
  if (const auto divisors = divisors_in(gguf, "rope_freqs.weight", m.head_dim / 2)) {  // Llama 3's scheme
    for (std::size_t i = 0; i < divisors->size(); ++i) rope.usual.inverse_frequencies[i] /= (*divisors)[i];
    name += ", with rope_freqs.weight";
  }
  m.ropes = {std::move(rope)};
  m.rope_names = {std::move(name)};
}

ModelPlan finish_silu_config(ModelPlan plan, const Settings& c) {
  const std::string activation = c.text("hidden_act").value_or("silu");
  if (activation != "silu" && activation != "swish") {
    c.wrong("hidden_act", "silu (also called swish): no other activation is known in this family");
  }
  set_rope_from_config(plan.config, c, 10000);
  c.finish();
  return plan;
}

std::vector<bool> sliding_layers(const Settings& c, std::size_t layers,
                                 const std::function<bool(std::size_t)>& otherwise) {
  std::vector<bool> sliding(layers);
  const auto types = c.texts("layer_types");
  if (types && types->size() != layers) c.wrong("layer_types", fmt::format("one for each of the {} layers", layers));
  for (std::size_t i = 0; i < layers; ++i) {
    if (!types) {
      sliding[i] = otherwise(i);
    } else if ((*types)[i] == "sliding_attention") {
      sliding[i] = true;
    } else if ((*types)[i] != "full_attention") {
      c.wrong("layer_types", "sliding_attention or full_attention");
    }
  }
  return sliding;
}

void set_windows_from_config(ModelConfig& m, const Settings& c) {
  const bool used = c.boolean("use_sliding_window", false);
  const auto window = c.size_if("sliding_window");
  const std::size_t first = c.count("max_window_layers", 28);
  const auto sliding = sliding_layers(c, m.layers.size(), [&](std::size_t i) { return used && window && i >= first; });
  for (std::size_t i = 0; i < sliding.size(); ++i) {
    // Without use_sliding_window the official implementation drops the window, whatever layer_types says.
    if (!sliding[i] || !used) continue;
    m.layers[i].attention.window_tokens = window.value_or(4096);
  }
}

}  // namespace rung
