#include "cli/messages.h"

#include <utility>

#include "base/error.h"
#include "base/printable.h"
#include "cli/command.h"
#include "cli/terminal.h"

namespace rung {

void check_request(const OrderedJson& request, std::string_view where) {
  if (!request.is_object()) fail("{}: found {}, expected messages", where, request.type_name());
  const auto messages = request.find("messages");
  if (messages == request.end() || !messages->is_array()) fail("{}: no list of `messages`", where);
  for (const OrderedJson& message : *messages) {
    if (!message.is_object() || !message.contains("role") || !message["role"].is_string()) {
      fail("{}: found {}, expected a message: {{\"role\": \"user\", \"content\": \"…\"}}", where,
           printable(to_json(message), 60));
    }
  }
}

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
