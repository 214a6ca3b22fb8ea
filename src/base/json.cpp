#include "base/json.h"

#include "base/error.h"

namespace rung {

namespace {

constexpr int kMaxDepth = 256;

void check_depth(std::string_view text, std::string_view where) {
  int depth = 0;
  bool in_string = false;
  for (std::size_t i = 0; i < text.size(); ++i) {
    const char c = text[i];
    if (in_string) {
      if (c == '\\') ++i;
      if (c == '"') in_string = false;
    } else if (c == '"') {
      in_string = true;
    } else if (c == '[' || c == '{') {
      if (++depth > kMaxDepth) fail("{}: JSON nested deeper than {} at byte {}", where, kMaxDepth, i);
    } else if (c == ']' || c == '}') {
      --depth;
    }
  }
}

template <class Document>
Document parse(std::string_view text, std::string_view where) {
  check_depth(text, where);
  try {
    return Document::parse(text);
  } catch (const nlohmann::json::exception& e) {
    const std::string_view what = e.what();  // "[json.exception.parse_error.101] parse error at line 1, column 2: ..."
    const std::size_t end = what.find("] ");
    fail("{}: not JSON: {}", where, end == std::string_view::npos ? what : what.substr(end + 2));
  }
}

}  // namespace

Json parse_json(std::string_view text, std::string_view where) { return parse<Json>(text, where); }
OrderedJson parse_ordered_json(std::string_view text, std::string_view where) {
  return parse<OrderedJson>(text, where);
}

std::string string_in(const Json& object, const char* key) {
  const auto it = object.find(key);
  return it != object.end() && it->is_string() ? it->get<std::string>() : std::string();
}

std::string to_json(const OrderedJson& value) {
  return value.dump(-1, ' ', false, OrderedJson::error_handler_t::replace);
}

}  // namespace rung
