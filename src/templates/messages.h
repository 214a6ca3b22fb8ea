// What transformers' apply_chat_template does to a conversation around the template.  Milestone M8.
#pragma once

#include <string>
#include <string_view>

#include "base/json_fwd.h"
#include "templates/jinja/text.h"

namespace rung {

// The messages as templates find them: without the keys whose value is null (a message's own; what lies deeper stays),
// and with what the assistant thought under `reasoning_content` and `thinking`, however it was called. Throws Error,
// naming `where`: not a list of objects, or no message.
OrderedJson prepared_messages(const OrderedJson& messages, std::string_view where);

// The last message is left open, so that the model goes on with it (continue_final_message): a tag is put behind its
// words, and what the template writes from there on is cut off.
class OpenEnd {
 public:
  // `field`: true (then it is `content`) or the name of what is continued. Tags the last of `messages`. Throws Error,
  // naming `where`: there is nothing to continue, or the template (`source`) does not read it.
  OpenEnd(OrderedJson& messages, const OrderedJson& field, std::string_view source, std::string_view where);
  // Throws Error: the template left the words out.
  jinja::Text cut(const jinja::Text& rendered) const;

 private:
  std::string where_;
  std::string words_;  // the message's, without white space around them
};

}  // namespace rung
