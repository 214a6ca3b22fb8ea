// What chat templates a model's files hold.  Milestone M8.
#include <utility>

#include "base/error.h"
#include "base/json.h"
#include "base/mapped_file.h"
#include "engine/model_files.h"

namespace rung {

namespace {

constexpr std::string_view kGgufKey = "tokenizer.chat_template";

using Templates = std::map<std::string, std::string>;

// chat_template: a string, or a list of {name, template}.
void add_configured(Templates& templates, const Json& config, const std::string& where) {
  const auto it = config.find("chat_template");
  if (it == config.end() || it->is_null()) return;
  if (it->is_string()) {
    templates.emplace("default", it->get<std::string>());
    return;
  }
  if (!it->is_array()) fail("{}: 'chat_template' is {}, expected a string or a list", where, it->type_name());
  for (const Json& entry : *it) {
    if (!entry.is_object() || !entry.contains("template") || !entry["template"].is_string()) {
      fail("{}: 'chat_template' holds an entry without a template", where);
    }
    if (!entry.contains("name") || !entry["name"].is_string()) continue;
    templates.emplace(entry["name"].get<std::string>(), entry["template"].get<std::string>());
  }
}

Templates templates_of(const Gguf& gguf) {
  Templates templates;
  if (const auto source = gguf.string(kGgufKey)) templates.emplace("default", *source);
  const std::string prefix = std::string(kGgufKey) + '.';
  for (auto it = gguf.metadata().lower_bound(prefix); it != gguf.metadata().end() && it->first.starts_with(prefix);
       ++it) {
    if (const auto source = gguf.string(it->first)) templates.emplace(it->first.substr(prefix.size()), *source);
  }
  return templates;
}

}  // namespace

Templates ModelFiles::chat_templates() const {
  if (is_gguf()) return templates_of(gguf());
  Templates templates;
  // Files of their own hide what the configuration says. transformers writes the first folder, some models have the
  // second.
  const auto add_file = [&](std::string name, const std::string& file) {
    templates.emplace(std::move(name), std::string(folder_.open(file).text()));
  };
  if (folder_.has("chat_template.jinja")) add_file("default", "chat_template.jinja");
  for (const std::string folder : {"additional_chat_templates", "chat_templates"}) {
    for (const std::string& file : folder_.names_in(folder)) {
      if (file.ends_with(".jinja")) add_file(file.substr(0, file.size() - 6), folder + "/" + file);
    }
  }
  if (templates.contains("default")) return templates;
  for (const char* name : {"tokenizer_config.json", "chat_template.json"}) {
    if (const auto config = json(name)) add_configured(templates, *config, (path() / name).string());
  }
  return templates;
}

std::optional<std::string> ModelFiles::chat_template(bool tools) const {
  const Templates templates = chat_templates();
  auto found = tools ? templates.find("tool_use") : templates.end();
  if (found == templates.end()) found = templates.find("default");
  return found == templates.end() ? std::nullopt : std::optional(found->second);
}

}  // namespace rung
