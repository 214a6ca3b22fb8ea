// A model's chat template (a Jinja subset) + messages → the prompt's text, and where in it a person's words lie.
// Milestone M8 (used from M0).
#pragma once

#include <ctime>
#include <memory>
#include <set>
#include <string>
#include <string_view>
#include <vector>

#include "base/json.h"
#include "text/byte_range.h"
#include "text/tokenizer.h"

namespace rung {

struct RenderedChat {
  std::string text;
  std::vector<ByteRange>
      // sorted, disjoint: bytes that came from string values of the context (messages, tools), not from the template
      untrusted;
};

class ChatTemplate {
 public:
  // `where` names the template in errors. Throws Error: unsupported or wrong constructs, with line and what they are.
  static ChatTemplate parse(std::string_view source, std::string_view where);

  ChatTemplate(ChatTemplate&&) noexcept;
  ChatTemplate& operator=(ChatTemplate&&) noexcept;
  ~ChatTemplate();

  // `context`: an object with `messages` and what else the template reads (`tools`, `add_generation_prompt`,
  // `bos_token`, `eos_token`, `enable_thinking`, …). Every string inside `messages`, `tools` and `documents` is
  // untrusted; the other values are trusted. As transformers does, `tools` and `documents` are none and
  // `add_generation_prompt` is false where the context does not say, and a message's `reasoning_content`, `thinking` or
  // `reasoning` is found under the first two names. Throws Error: what raise_exception said, an operation on wrong
  // types, a template that never ends.
  RenderedChat render(const OrderedJson& context) const;
  // The same at a given time: what strftime_now, with which some templates write today's date, goes by. Otherwise it is
  // the local time.
  RenderedChat render(const OrderedJson& context, const std::tm& now) const;

  const std::string& source() const;

 private:
  struct Impl;
  explicit ChatTemplate(std::unique_ptr<Impl> impl);
  std::unique_ptr<Impl> impl_;
};

// Which added tokens a text that a person typed may never become: those that are special, and those that stand
// literally in the template (as `<think>` may, which is not special). For Untrusted::forbidden.
std::set<TokenId> forbidden_tokens(const Tokenizer& tokenizer, std::string_view template_source);

}  // namespace rung
