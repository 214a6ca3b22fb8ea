// Files of messages and tools → what a chat template takes.
#pragma once

#include <optional>
#include <string>
#include <string_view>

#include "base/json.h"

namespace rung {

// A JSON file (- is stdin) that holds a list of messages, or an object with `messages`, `tools`, and whatever else the
// template reads. Throws Error.
OrderedJson read_request(const std::string& path);

// The text of a chat template's file; no path: nullopt, the model's own. Throws Error.
std::optional<std::string> read_template(const std::string& path);

// A JSON file that holds a list of tools. Throws Error.
OrderedJson read_tools(const std::string& path);

}  // namespace rung
