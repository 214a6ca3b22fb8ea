#include "engine/request.h"

#include "base/json.h"
#include "base/error.h"
#include "base/printable.h"

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

}  // namespace rung
