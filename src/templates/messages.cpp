#include "templates/messages.h"

#include <array>
#include <vector>

#include "base/json.h"
#include "base/error.h"

namespace rung {

using jinja::Strip;
using jinja::Text;

namespace {

constexpr std::array kReasoning = {"reasoning_content", "thinking", "reasoning"};
constexpr std::string_view kTag = "CONTINUE_FINAL_MESSAGE_TAG ";
constexpr std::string_view kTagWord = kTag.substr(0, kTag.size() - 1);

std::string stripped(std::string_view text) {
  const ByteRange range = jinja::strip_range(text, Strip::both);
  return std::string(text.substr(range.begin, range.end - range.begin));
}

OrderedJson prepared(const OrderedJson& message) {
  OrderedJson given = OrderedJson::object();
  for (const auto& [key, value] : message.items()) {
    if (!value.is_null()) given[key] = value;
  }
  for (const char* name : kReasoning) {
    const auto reasoning = given.find(name);
    if (reasoning == given.end()) continue;
    OrderedJson out = {{"thinking", *reasoning}};
    for (const auto& [key, value] : given.items()) out[key] = value;
    out["reasoning_content"] = *reasoning;
    return out;
  }
  return given;
}

// Where the words of a message that is to go on end: a string, or the last text among its parts.
OrderedJson& open_text(OrderedJson& value, const std::string& field, std::string_view where) {
  if (value.is_string()) return value;
  if (value.is_array()) {
    for (auto part = value.rbegin(); part != value.rend(); ++part) {
      if (part->is_object() && part->contains("text") && (*part)["text"].is_string()) return (*part)["text"];
    }
  }
  fail("{}: continue_final_message: the last message's '{}' has no text to go on with", where, field);
}

}  // namespace

OrderedJson prepared_messages(const OrderedJson& messages, std::string_view where) {
  if (!messages.is_array()) fail("{}: `messages` is {}, expected a list", where, messages.type_name());
  if (messages.empty()) fail("{}: the conversation has no message", where);
  OrderedJson out = OrderedJson::array();
  for (const OrderedJson& message : messages) {
    if (!message.is_object()) fail("{}: a message is {}, expected an object", where, message.type_name());
    out.push_back(prepared(message));
  }
  return out;
}

OpenEnd::OpenEnd(OrderedJson& messages, const OrderedJson& field, std::string_view source, std::string_view where)
    : where_(where) {
  if (!field.is_string() && !field.is_boolean()) {
    fail("{}: continue_final_message is {}, expected true or the name of what goes on", where, field.dump());
  }
  const std::string name = field.is_string() ? field.get<std::string>() : "content";
  OrderedJson& last = messages.back();
  if (!last.contains(name)) fail("{}: continue_final_message: the last message has no '{}'", where, name);
  std::vector<std::string> fields = {name};
  for (const char* reasoning : kReasoning) {  // whichever of its names the template reads
    if (name != reasoning) continue;
    const OrderedJson words = last[name];
    fields.clear();
    for (const char* other : kReasoning) {
      if (last.contains(other) && last[other] == words) fields.emplace_back(other);
    }
  }
  bool read = false;
  for (const std::string& each : fields) read = read || source.find(each) != std::string_view::npos;
  if (!read) fail("{}: continue_final_message: the template reads no '{}'", where, name);
  for (const std::string& each : fields) {
    OrderedJson& text = open_text(last[each], each, where);
    words_ = stripped(text.get_ref<const std::string&>());
    text.get_ref<std::string&>() += kTag;
  }
}

Text OpenEnd::cut(const Text& rendered) const {
  const std::string& bytes = rendered.bytes();
  const std::size_t tag = bytes.rfind(kTagWord);
  if (tag == std::string::npos || bytes.find(words_) == std::string::npos) {
    fail("{}: continue_final_message: the template does not write the last message's words as they are", where_);
  }
  if (bytes.compare(tag, kTag.size(), kTag) == 0) return rendered.slice(0, tag);
  // The template took the white space behind the words away, and with it what is before the tag.
  return rendered.slice(0, jinja::strip_range(std::string_view(bytes).substr(0, tag), Strip::right).end);
}

}  // namespace rung
