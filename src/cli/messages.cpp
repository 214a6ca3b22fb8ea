#include "cli/messages.h"

#include <fmt/format.h>

#include <optional>
#include <utility>

#include "base/error.h"
#include "engine/request.h"

namespace rung {

namespace {

// JSON, or a bare word as a string; not what was meant as JSON and is none.
OrderedJson variable_of(const std::string& option, const std::string& text) {
  for (const auto& [python, json] : {std::pair{"True", "true"}, {"False", "false"}, {"None", "null"}}) {
    if (text == python) throw UsageError(fmt::format("--set {}: {} is written {} in JSON", option, python, json));
  }
  OrderedJson value = OrderedJson::parse(text, nullptr, false);
  if (!value.is_discarded()) return value;
  if (text.starts_with('[') || text.starts_with('{') || text.starts_with('"')) {
    throw UsageError(fmt::format("--set {}: {} is no JSON", option, text));
  }
  return text;
}

}  // namespace

OrderedJson read_request(const std::string& path) {
  OrderedJson value = parse_ordered_json(read_file(path), path);
  OrderedJson request = value.is_array() ? OrderedJson{{"messages", std::move(value)}} : std::move(value);
  check_request(request, path);
  return request;
}

void TemplateOptions::add(Options& options, const std::string& when) {
  options.add("--template", file, when + "this chat template instead of the model's").type_name("FILE.jinja");
  options.add("--template-name", name, when + "the chat template of this name, of a model that has several")
      .type_name("NAME");
  options
      .add("--set", set,
           when +
               "a variable of the template, as --set enable_thinking=false; what is no JSON is a string (may be given "
               "more than once)")
      .type_name("NAME=JSON");
}

TemplateChoice TemplateOptions::choice(bool tools) const {
  if (!file.empty() && !name.empty()) throw UsageError("--template and --template-name: which of them?");
  return {.source = file.empty() ? std::nullopt : std::optional(read_file(file)), .name = name, .tools = tools};
}

void TemplateOptions::put_variables(OrderedJson& into) const {
  for (const std::string& option : set) {
    const std::size_t equals = option.find('=');
    if (equals == 0 || equals == std::string::npos) {
      throw UsageError(fmt::format("--set {}: expected NAME=JSON, as enable_thinking=false", option));
    }
    const std::string variable = option.substr(0, equals);
    if (variable == "messages") throw UsageError("--set messages: --messages FILE.json gives these");
    into[variable] = variable_of(option, option.substr(equals + 1));
  }
}

bool has_tools(const OrderedJson& request) { return request.contains("tools") && !request["tools"].is_null(); }

OrderedJson read_tools(const std::string& path) {
  OrderedJson tools = parse_ordered_json(read_file(path), path);
  if (!tools.is_array()) fail("{}: found {}, expected a list of tools", path, tools.type_name());
  return tools;
}

}  // namespace rung
