// A model's chat template (a Jinja subset) + messages → the prompt's text, and where in it a person's words lie.  Milestone M8 (used from M0).
#pragma once

#include <memory>
#include <string>
#include <string_view>
#include <vector>

#include "base/json.h"
#include "text/byte_range.h"

namespace rung {

struct RenderedChat {
  std::string text;
  std::vector<ByteRange> untrusted;  // sorted, disjoint: bytes that came from string values of the context (messages, tools), not from the template
};

class ChatTemplate {
 public:
  // `where` names the template in errors. Throws Error: unsupported or wrong constructs, with line and what they are.
  static ChatTemplate parse(std::string_view source, std::string_view where);

  ChatTemplate(ChatTemplate&&) noexcept;
  ChatTemplate& operator=(ChatTemplate&&) noexcept;
  ~ChatTemplate();

  // `context`: an object with `messages` and what else the template reads (`tools`, `add_generation_prompt`, `bos_token`, `eos_token`,
  // `enable_thinking`, …). Every string inside `messages`, `tools` and `documents` is untrusted; the other values are trusted.
  // Throws Error: what raise_exception said, an operation on wrong types, a template that never ends.
  RenderedChat render(const OrderedJson& context) const;

  const std::string& source() const;

 private:
  struct Impl;
  explicit ChatTemplate(std::unique_ptr<Impl> impl);
  std::unique_ptr<Impl> impl_;
};

}  // namespace rung
