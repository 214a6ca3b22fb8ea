// A conversation: what was said → the prompt of the next turn → an answer. When the context is full, the oldest turns
// go.  Milestone M8.
#pragma once

#include <cstddef>
#include <optional>
#include <string>
#include <string_view>
#include <utility>
#include <vector>

#include "base/json.h"
#include "engine/chat_prompt.h"
#include "engine/generate.h"
#include "engine/loaded_model.h"
#include "engine/session.h"

namespace rung {

struct Reply {
  std::size_t whole_tokens = 0;  // what prompt and answer may have together: the context, or the model's max_length
  Generated generated = {};
  // the oldest ones, forgotten to make room: a user's message and all that came before the next one
  std::size_t dropped_turns = 0;
  std::size_t context_tokens = 0;  // prompt and answer
};

class Chat {
 public:
  // Both outlive this; the session is this chat's own from now on. Throws Error: the model has no chat template, or
  // one that cannot be read. `variables`: an object of what else the template reads (tools, enable_thinking, …).
  Chat(const LoadedModel& model, Session& session, const TemplateChoice& choice = {},
       OrderedJson variables = OrderedJson::object());

  // The message that sets the scene; it is never dropped. Empty: none.
  void set_system(std::string_view text);
  // Forgets all turns; the system message stays.
  void reset();
  // Goes on with these: a list of messages, each with a `role`.
  void set_messages(OrderedJson messages);
  const OrderedJson& messages() const { return history_.messages; }

  // Says `text` to the model and generates its answer; both become messages. What the options leave to the model is
  // as it says: how to sample, and the ids that end a turn. What is not said becomes no message: when this throws Error
  // (the template refuses the messages, the text alone is longer than the context), or when the answer was interrupted
  // before its first word.
  Reply reply(std::string_view text, GenerateOptions options, const GenerateCallbacks& callbacks = {});

 private:
  // What was said, and for each message the ids that the model itself wrote (of others: none).
  struct History {
    OrderedJson messages = OrderedJson::array();
    std::vector<std::vector<TokenId>> said = {};

    bool has_system() const { return !messages.empty() && messages.front().value("role", "") == "system"; }
    void insert(std::size_t at, OrderedJson message, std::vector<TokenId> ids = {});
    void erase(std::size_t begin, std::size_t end);
    bool drop_oldest_turn();
  };

  const ChatPrompter& prompter() const { return own_prompter_ ? *own_prompter_ : model_.prompter(); }
  ChatPrompt prompt_of(const History& history) const;
  static std::size_t room_for_answer(const GenerateOptions& options, std::size_t whole);

  const LoadedModel& model_;
  Session& session_;
  std::optional<ChatPrompter> own_prompter_;  // where the template is not the model's default
  OrderedJson variables_;
  History history_;
};

}  // namespace rung
