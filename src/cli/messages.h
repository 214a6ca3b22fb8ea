// Files of messages and tools → what a chat template takes.
#pragma once

#include <string>
#include <string_view>
#include <vector>

#include "base/json.h"
#include "cli/command.h"
#include "engine/chat_prompt.h"

namespace rung {

// A JSON file (- is stdin) that holds a list of messages, or an object with `messages`, `tools`, and whatever else the
// template reads. Throws Error.
OrderedJson read_request(const std::string& path);

// --template, --template-name, --set: which chat template, and what it is told beside the messages.
struct TemplateOptions {
  std::string file, name;
  std::vector<std::string> set;  // NAME=JSON

  void add(Options& options, const std::string& when);  // `when`: what the help begins with ("with --chat: ")
  bool given() const { return !file.empty() || !name.empty() || !set.empty(); }
  TemplateChoice choice(bool tools) const;      // throws UsageError, Error
  void put_variables(OrderedJson& into) const;  // those of --set; throws UsageError
};

// Whether a request has tools (null is none).
bool has_tools(const OrderedJson& request);

// A JSON file that holds a list of tools. Throws Error.
OrderedJson read_tools(const std::string& path);

}  // namespace rung
