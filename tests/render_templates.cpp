// The program that tools/fuzz_templates.py compares with jinja2: lines {"template", "context"} → lines {"text",
// "untrusted"} or {"error"}.
#include "base/json.h"
#include "base/error.h"
#include "templates/chat_template.h"
#include "templates/golden_clock.h"

#include <iostream>
#include <string>

namespace {

rung::OrderedJson answer(const std::string& line) {
  using rung::OrderedJson;
  try {
    const OrderedJson question = rung::parse_ordered_json(line, "line");
    const rung::ChatTemplate chat = rung::ChatTemplate::parse(question.at("template").get<std::string>(), "template");
    const rung::RenderedChat rendered = chat.render(question.at("context"), rung::golden_clock());
    OrderedJson untrusted = OrderedJson::array();
    for (const rung::ByteRange& range : rendered.untrusted) untrusted.push_back({range.begin, range.end});
    return {{"text", rendered.text}, {"untrusted", untrusted}};
  } catch (const rung::Error& e) {
    return {{"error", e.what()}};
  }
}

}  // namespace

int main() {
  std::ios::sync_with_stdio(false);
  for (std::string line; std::getline(std::cin, line);) std::cout << answer(line).dump() << '\n';
}
