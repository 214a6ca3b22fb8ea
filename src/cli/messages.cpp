#include "cli/messages.h"

#include <utility>

#include "base/error.h"
#include "cli/command.h"
#include "cli/terminal.h"
#include "engine/request.h"

namespace rung {

OrderedJson read_request(const std::string& path) {
  OrderedJson value = parse_ordered_json(read_file(path), path);
  OrderedJson request = value.is_array() ? OrderedJson{{"messages", std::move(value)}} : std::move(value);
  check_request(request, path);
  return request;
}

std::optional<std::string> read_template(const std::string& path) {
  return path.empty() ? std::nullopt : std::optional(read_file(path));
}

OrderedJson read_tools(const std::string& path) {
  OrderedJson tools = parse_ordered_json(read_file(path), path);
  if (!tools.is_array()) fail("{}: found {}, expected a list of tools", path, tools.type_name());
  return tools;
}

}  // namespace rung
