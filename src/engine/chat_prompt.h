// Messages → the ids that a model was trained to see, through its chat template.  Milestone M8.
#pragma once

#include <map>
#include <optional>
#include <string>
#include <vector>

#include "base/json.h"
#include "engine/loaded_model.h"
#include "templates/chat_template.h"
#include "text/tokenizer.h"

namespace rung {

// A plain text's ids, with exactly one BOS first where the model wants one, also when the text begins with it.
std::vector<TokenId> encode_prompt(const Tokenizer& tokenizer, std::string_view text);

// {"role": role, "content": content}
OrderedJson make_message(std::string_view role, std::string_view content);

struct ChatPrompt {
  std::string text;
  std::vector<ByteRange> untrusted;  // what came from the messages
  std::vector<TokenId> ids;
};

class ChatPrompter {
 public:
  // The model's own template, or `source`. Throws Error: the model has none, or it cannot be read.
  // `tokenizer` outlives this.
  ChatPrompter(const ModelFiles& files, const Tokenizer& tokenizer, std::optional<std::string> source = {},
               bool tools = false);

  // `request`: {"messages": […], "tools": […]?, and whatever else the template reads}. add_generation_prompt is true
  // unless it says otherwise.
  ChatPrompt render(OrderedJson request) const;

  // The token that ends a turn: the first special one that follows an assistant's words.
  std::optional<TokenId> turn_end() const;

 private:
  const Tokenizer& tokenizer_;
  ChatTemplate template_;
  std::set<TokenId> forbidden_;  // what a person's words may never become
  std::map<std::string, std::string> special_tokens_;
};

}  // namespace rung
