// config.json → the keys of a GGUF file: the way back of common.cpp.  Milestone M5.
#include <cmath>

#include "base/error.h"
#include "model/families/common.h"
#include "model/rope.h"

namespace rung {

namespace {

void set_size(GgufModel& out, const ModelConfig& model, std::string_view key, std::size_t value) {
  out.metadata.set_scalar(gguf_key(model, key), static_cast<std::uint32_t>(value));
}

void set_number(GgufModel& out, const ModelConfig& model, std::string_view key, float value) {
  out.metadata.set_scalar(gguf_key(model, key), value);
}

// What YaRN multiplies with is, in GGUF, the usual factor times this key.
void set_yarn(GgufModel& out, const Settings& s, const ModelConfig& model, std::optional<std::size_t> original_beside) {
  s.require("truncate", true, "GGUF cannot say that a yarn ramp is not truncated");
  const std::size_t inside = s.size("original_max_position_embeddings", model.context),
                    original = original_beside.value_or(inside);
  const float factor = s.number("factor", static_cast<float>(model.context) / static_cast<float>(original));
  out.metadata.set_text(gguf_key(model, "rope.scaling.type"), "yarn");
  set_number(out, model, "rope.scaling.factor", factor);
  set_size(out, model, "rope.scaling.original_context_length", original);
  if (s.has("beta_fast")) set_number(out, model, "rope.scaling.yarn_beta_fast", s.number("beta_fast"));
  if (s.has("beta_slow")) set_number(out, model, "rope.scaling.yarn_beta_slow", s.number("beta_slow"));
  const float attention = model.ropes[0].usual.magnitude / yarn_attention_factor(factor);
  if (std::fabs(attention - 1) > 1e-6f) set_number(out, model, "rope.scaling.attn_factor", attention);
}

// Read again as llama.cpp reads it: the divisors as tensors, the magnitude as it is.
void set_longrope(GgufModel& out, const Settings& s, const ModelConfig& model) {
  const SessionRope& rope = model.ropes[0];
  out.metadata.set_text(gguf_key(model, "rope.scaling.type"), "longrope");
  set_size(out, model, "rope.scaling.original_context_length", rope.usual_tokens);
  set_number(out, model, "rope.scaling.attn_factor", rope.usual.magnitude);
  out.rope_divisors["rope_factors_short.weight"] = s.numbers("short_factor", model.head_dim / 2);
  out.rope_divisors["rope_factors_long.weight"] = s.numbers("long_factor", model.head_dim / 2);
}

// `original_beside`: as in RopeContext.
void set_scaling(GgufModel& out, const Settings& s, const ModelConfig& model, float theta,
                 std::optional<std::size_t> original_beside) {
  const std::string type = s.text("rope_type").value_or(s.text("type").value_or("default"));
  if (type == "linear") {
    out.metadata.set_text(gguf_key(model, "rope.scaling.type"), "linear");
    set_number(out, model, "rope.scaling.factor", s.number("factor"));
  } else if (type == "yarn") {
    set_yarn(out, s, model, original_beside);
  } else if (type == "llama3") {
    const Rope plain = plain_rope(theta, model.head_dim);
    std::vector<float>& divisors = out.rope_divisors["rope_freqs.weight"];
    for (std::size_t i = 0; i < plain.inverse_frequencies.size(); ++i) {
      divisors.push_back(plain.inverse_frequencies[i] / model.ropes[0].usual.inverse_frequencies[i]);
    }
  } else if (type == "longrope") {
    set_longrope(out, s, model);
  } else if (type == "dynamic") {
    fail("{}: GGUF has no key for dynamic rope scaling", s.where());
  }
}

}  // namespace

std::string gguf_key(const ModelConfig& model, std::string_view key) { return fmt::format("{}.{}", model.family, key); }

void set_common_for_gguf(GgufModel& out, const ModelConfig& m) {
  set_size(out, m, "block_count", m.layers.size());
  set_size(out, m, "context_length", m.context);
  set_size(out, m, "embedding_length", m.hidden_size);
  set_size(out, m, "feed_forward_length", m.mlp.intermediate_size);
  set_size(out, m, "attention.head_count", m.heads);
  set_size(out, m, "attention.head_count_kv", m.kv_heads);
  set_size(out, m, "attention.key_length", m.head_dim);
  set_size(out, m, "attention.value_length", m.head_dim);
  set_number(out, m, "attention.layer_norm_rms_epsilon", m.norm_epsilon);
  set_size(out, m, "vocab_size", m.vocab_size);
}

void set_rope_for_gguf(GgufModel& out, const Settings& c, const std::optional<Settings>& scaled, const ModelConfig& m,
                       float default_theta) {
  const float outer = c.number("rope_theta", default_theta);
  const float theta = scaled ? scaled->number("rope_theta", outer) : outer;
  set_number(out, m, "rope.freq_base", theta);
  if (scaled) set_scaling(out, *scaled, m, theta, c.size_if("original_max_position_embeddings"));
}

void set_rope_for_gguf(GgufModel& out, const Settings& c, const ModelConfig& m, float default_theta) {
  const auto before = c.object("rope_scaling");  // as in set_rope_from_config: this one, where a file has both
  set_rope_for_gguf(out, c, before ? before : c.object("rope_parameters"), m, default_theta);
}

void refuse_windows_for_gguf(const Settings& c, const ModelConfig& m) {
  for (const LayerConfig& layer : m.layers) {
    if (layer.attention.window_tokens != 0) {
      fail("{}: use_sliding_window: GGUF has no key for the windows of this family", c.where());
    }
  }
}

}  // namespace rung
