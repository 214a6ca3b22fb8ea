// A model's chat template (a Jinja subset) + messages → the prompt's text, and where in it a person's words lie.
// Milestone M8 (used from M0).
#pragma once

#include <ctime>
#include <memory>
#include <set>
#include <string>
#include <string_view>
#include <vector>

#include "base/json_fwd.h"
#include "text/byte_range.h"
#include "text/tokenizer.h"

namespace rung {

// Bytes that an assistant's message gave, and which message it was.
struct Spoken {
  ByteRange range;
  std::size_t message;
};

// Lists of ranges are sorted and disjoint.
struct RenderedChat {
  std::string text;
  std::vector<ByteRange> untrusted;  // not the template's: typed or spoken
  std::vector<ByteRange> typed;      // by a person or a tool: what everything but an assistant's message gave
  std::vector<Spoken> spoken;
};

class ChatTemplate {
 public:
  // `where` names the template in errors. Throws Error: unsupported or wrong constructs, with line and what they are.
  static ChatTemplate parse(std::string_view source, std::string_view where);

  ChatTemplate(ChatTemplate&&) noexcept;
  ChatTemplate& operator=(ChatTemplate&&) noexcept;
  ~ChatTemplate();

  // `context`: an object with `messages` and what else the template reads (`tools`, `add_generation_prompt`,
  // `bos_token`, `eos_token`, `enable_thinking`, …), as transformers' apply_chat_template takes it: `tools` and
  // `documents` are none and `add_generation_prompt` is false where it does not say; `continue_final_message` leaves
  // the last message open; what happens to messages says prepared_messages (messages.h). Trusted are the template, the
  // special tokens (`…_token`) and the `role` of a message where it is one that templates know; every other string is
  // typed or, in a message of the assistant, spoken. Throws Error: what raise_exception said, an operation on wrong
  // types, a template that never ends.
  RenderedChat render(const OrderedJson& context) const;
  // The same at a given time: what strftime_now, with which some templates write today's date, goes by. Otherwise it is
  // the local time.
  RenderedChat render(const OrderedJson& context, const std::tm& now) const;

  const std::string& source() const;
  // The texts that the template itself writes or compares with: its text outside of {…}, and its string literals.
  const std::vector<std::string>& literals() const;
  // What it reads of the context, as jinja2.meta.find_undeclared_variables says it.
  const std::set<std::string>& variables() const;

 private:
  struct Impl;
  explicit ChatTemplate(std::unique_ptr<Impl> impl);
  std::unique_ptr<Impl> impl_;
};

// Which added tokens a text that a person typed may never become: those that are special, and those that stand in the
// template's literals (as `<think>` may, which is not special). For Untrusted::forbidden.
std::set<TokenId> forbidden_tokens(const Tokenizer& tokenizer, const ChatTemplate& chat);
// What the tokenizer must know about a chat.
Untrusted untrusted_in(const RenderedChat& chat, std::set<TokenId> forbidden);

}  // namespace rung
