#include "model/families/families.h"

#include <array>
#include <utility>

#include "base/error.h"
#include "base/printable.h"
#include "model/families/common.h"

namespace rung {

std::span<const Family> families() {
  static const std::array<Family, 4> kFamilies{llama, qwen2, qwen3, gemma3};
  return kFamilies;
}

namespace {

std::string known_families() {
  std::string names;
  for (const Family& f : families()) names += fmt::format("{}{}", names.empty() ? "" : ", ", f.name);
  return names;
}

ModelPlan named(ModelPlan plan, const Family& family) {
  plan.config.family = family.name;
  return plan;
}

}  // namespace

ModelPlan plan_from_config(const Json& config, const std::string& where) {
  const Settings settings = Settings::from_json(config, where);
  const auto type = settings.text("model_type");
  if (!type) settings.wrong("model_type", known_families());
  settings.require("auto_map", Json(), "a model with code of its own cannot be run");
  settings.require("quantization_config", Json(), "these quantised weights are not read; use the original or a GGUF");
  for (const Family& family : families()) {
    for (const std::string_view name : family.model_types) {
      if (*type == name) return named(family.from_config(settings), family);
    }
  }
  settings.wrong("model_type", known_families());
}

namespace {

// What else lies on the hub in this format, beside models or in their place.
void refuse_what_is_no_model(const Gguf& gguf) {
  const std::string_view type = gguf.string("general.type").value_or(""),
                         architecture = gguf.string("general.architecture").value_or("");
  if (type == "adapter") {
    fail("{}: this is no model but a {} adapter for one ({}), which has to be merged into that model first",
         gguf.file(), printable(gguf.string("adapter.type").value_or("lora")), printable(architecture));
  }
  if (type == "mmproj" || architecture == "clip") {
    fail(
        "{}: this is the part of a model that sees or hears (mmproj, clip); expected the text model's file, which lies "
        "beside it",
        gguf.file());
  }
  if (type == "imatrix" || architecture == "imatrix") {
    fail("{}: this is no model but an importance matrix, what a quantizer takes in", gguf.file());
  }
}

}  // namespace

ModelPlan plan_from_gguf(const Gguf& gguf) {
  refuse_what_is_no_model(gguf);
  const auto architecture = gguf.string("general.architecture");
  if (!architecture) fail("{}: 'general.architecture' is missing: the file holds no model", gguf.file());
  for (const Family& family : families()) {
    if (*architecture != family.name) continue;
    const Settings metadata = Settings::from_gguf(gguf, fmt::format("{}.", *architecture));
    ModelPlan plan = named(family.from_gguf(metadata, gguf), family);
    metadata.finish();
    return plan;
  }
  fail("{}: 'general.architecture' is '{}', expected {}", gguf.file(), *architecture, known_families());
}

GgufModel gguf_from_config(const Json& config, const std::string& where, const ModelConfig& model) {
  const Settings settings = Settings::from_json(config, where);
  for (const Family& family : families()) {
    if (model.family != family.name) continue;
    GgufModel out{.metadata = {}, .layout = gguf_layout()};
    out.metadata.set_text("general.architecture", std::string(family.name));
    set_common_for_gguf(out, model);
    family.to_gguf(out, settings, model);
    return out;
  }
  settings.wrong("model_type", known_families());
}

}  // namespace rung
