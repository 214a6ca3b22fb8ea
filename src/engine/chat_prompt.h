// Messages → the ids that a model was trained to see, through its chat template.  Milestone M8.
#pragma once

#include <map>
#include <optional>
#include <set>
#include <span>
#include <string>
#include <vector>

#include "base/json_fwd.h"
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

// Which chat template: a source of its own, or one of the model's by its name, or (both empty) the model's.
struct TemplateChoice {
  std::optional<std::string> source = {};
  std::string name = {};
  bool tools = false;  // whether there are tools: a model may have another template for them
};

class ChatPrompter {
 public:
  // Throws Error: the model has no such template, or it cannot be read. `tokenizer` outlives this.
  ChatPrompter(const ModelFiles& files, const Tokenizer& tokenizer, const TemplateChoice& choice = {});

  // `request`: {"messages": […], "tools": […]?, and whatever else the template reads}. add_generation_prompt is true
  // unless it says otherwise, or that the final message is to be continued. `said`: for the message of the same place
  // the ids that the model itself wrote, if it did (none: empty, or a shorter list); they stay the ids of its words,
  // which others might spell the same text. Throws Error: a key that nothing reads; what the template refuses.
  ChatPrompt render(OrderedJson request, std::span<const std::vector<TokenId>> said = {}) const;

  // The token that ends a turn: the first special one that follows an assistant's words.
  std::optional<TokenId> turn_end() const;

 private:
  void check_keys(const OrderedJson& request) const;

  const Tokenizer& tokenizer_;
  std::string where_;
  ChatTemplate template_;
  std::set<TokenId> forbidden_;  // what a person's words may never become
  std::map<std::string, std::string> special_tokens_;
};

}  // namespace rung
