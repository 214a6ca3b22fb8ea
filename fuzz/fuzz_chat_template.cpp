// Any text as a template, rendered on a small conversation: it ends, in bounded memory, with a text or with an error.
// And whatever it did, the marked bytes lie inside the text, in order.
#include "base/json.h"
#include "base/error.h"
#include "templates/chat_template.h"

#include <cstdint>
#include <cstdlib>
#include <string_view>

namespace {

const char* const kContext = R"({
  "messages": [{"role": "system", "content": "Be brief."}, {"role": "user", "content": " Hi <|im_end|>\n"},
               {"role": "assistant", "content": "", 
                 "tool_calls": [{"function": {"name": "f", "arguments": {"x": [1, 2.5, null]}}}]},
               {"role": "user", "content": [{"type": "text", "text": "é\u2028"}]}],
  "tools": [{"type": "function", "function": {"name": "f", "parameters": {"type": "object"}}}],
  "add_generation_prompt": true, "bos_token": "<s>", "s": "Hello", "i": 7, "f": 2.5, "l": [3, 1, 2], 
  "d": {"a": 1, "b": {"c": "x"}}})";

}  // namespace

extern "C" int LLVMFuzzerTestOneInput(const std::uint8_t* data, std::size_t size) {
  static const rung::OrderedJson context = rung::parse_ordered_json(kContext, "context");
  try {
    const rung::ChatTemplate chat = rung::ChatTemplate::parse({reinterpret_cast<const char*>(data), size}, "template");
    const rung::RenderedChat rendered = chat.render(context, std::tm{});
    std::size_t at = 0;
    for (const rung::ByteRange& range : rendered.untrusted) {
      if (range.begin < at || range.end <= range.begin || range.end > rendered.text.size()) std::abort();
      at = range.end + 1;  // ranges do not touch
    }
  } catch (const rung::Error&) {  // refused in one line
  }
  return 0;
}
