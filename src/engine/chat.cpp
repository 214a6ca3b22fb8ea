#include "engine/chat.h"

#include <algorithm>
#include <utility>

#include "base/error.h"

namespace rung {

Chat::Chat(const LoadedModel& model, Session& session, std::optional<std::string> template_source)
    : model_(model), session_(session) {
  if (template_source) own_prompter_.emplace(model.files(), model.tokenizer(), std::move(template_source));
  prompter();  // whoever cannot chat learns it now
}

void Chat::set_system(std::string_view text) {
  if (has_system()) messages_.erase(messages_.begin());
  if (!text.empty()) messages_.insert(messages_.begin(), make_message("system", text));
}

void Chat::reset() { messages_.erase(messages_.begin() + (has_system() ? 1 : 0), messages_.end()); }

Reply Chat::reply(std::string_view text, GenerateOptions options, const GenerateCallbacks& callbacks) {
  OrderedJson messages = messages_;
  messages.push_back(make_message("user", text));
  Reply reply;
  ChatPrompt prompt = prompter().render({{"messages", messages}});
  while (prompt.ids.size() + room_for_answer(options) > session_.context() && drop_oldest_turn(messages)) {
    ++reply.dropped_turns;
    prompt = prompter().render({{"messages", messages}});
  }
  if (prompt.ids.size() >= session_.context()) {
    fail("the message makes a prompt of {} tokens, the context holds {} and the answer needs some", prompt.ids.size(),
         session_.context());
  }
  options.stop_ids.insert(model_.stop_ids().begin(), model_.stop_ids().end());
  reply.generated = generate(session_, model_.tokenizer(), prompt.ids, options, callbacks);
  reply.context_tokens = session_.tokens().size();
  if (reply.generated.reason == StopReason::interrupted && reply.generated.text.empty()) return reply;
  messages.push_back(make_message("assistant", reply.generated.text));
  messages_ = std::move(messages);
  return reply;
}

// False when only the newest message is left (and the system's).
bool Chat::drop_oldest_turn(OrderedJson& messages) const {
  const auto is_user = [](const OrderedJson& message) { return message.value("role", "") == "user"; };
  const auto first = messages.begin() + (has_system() ? 1 : 0);
  if (first == messages.end()) return false;
  const auto next = std::find_if(first + 1, messages.end(), is_user);
  if (next == messages.end()) return false;
  messages.erase(first, next);
  return true;
}

// A quarter of the context, or what the answer may take at most.
std::size_t Chat::room_for_answer(const GenerateOptions& options) const {
  const std::size_t quarter = std::max<std::size_t>(session_.context() / 4, 1);
  return options.max_tokens == 0 ? quarter : std::min(quarter, options.max_tokens);
}

}  // namespace rung
