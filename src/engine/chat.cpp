#include "engine/chat.h"

#include <algorithm>
#include <cstddef>
#include <utility>

#include "base/error.h"

namespace rung {

void Chat::History::insert(std::size_t at, OrderedJson message, std::vector<TokenId> ids) {
  const auto place = static_cast<std::ptrdiff_t>(at);
  messages.insert(messages.begin() + place, std::move(message));
  said.insert(said.begin() + place, std::move(ids));
}

void Chat::History::erase(std::size_t begin, std::size_t end) {
  const auto first = static_cast<std::ptrdiff_t>(begin), last = static_cast<std::ptrdiff_t>(end);
  messages.erase(messages.begin() + first, messages.begin() + last);
  said.erase(said.begin() + first, said.begin() + last);
}

// False when only the newest message is left (and the system's).
bool Chat::History::drop_oldest_turn() {
  const std::size_t first = has_system() ? 1 : 0;
  for (std::size_t next = first + 1; next < messages.size(); ++next) {
    if (messages[next].value("role", "") != "user") continue;
    erase(first, next);
    return true;
  }
  return false;
}

Chat::Chat(const LoadedModel& model, Session& session, const TemplateChoice& choice, OrderedJson variables)
    : model_(model), session_(session), variables_(std::move(variables)) {
  const bool default_template = !choice.source && choice.name.empty() && !choice.tools;
  if (!default_template) own_prompter_.emplace(model.files(), model.tokenizer(), choice);
  prompter();  // whoever cannot chat learns it now
}

void Chat::set_system(std::string_view text) {
  if (history_.has_system()) history_.erase(0, 1);
  if (!text.empty()) history_.insert(0, make_message("system", text));
}

void Chat::reset() { history_.erase(history_.has_system() ? 1 : 0, history_.messages.size()); }

void Chat::set_messages(OrderedJson messages) {
  history_ = {};
  for (OrderedJson& message : messages) history_.insert(history_.messages.size(), std::move(message));
}

ChatPrompt Chat::prompt_of(const History& history) const {
  OrderedJson request = variables_;
  request["messages"] = history.messages;
  return prompter().render(std::move(request), history.said);
}

Reply Chat::reply(std::string_view text, GenerateOptions given, const GenerateCallbacks& callbacks) {
  const GenerateOptions options = model_.completed(std::move(given));
  const std::size_t whole =
      options.max_length == 0 ? session_.context() : std::min(options.max_length, session_.context());
  History history = history_;
  history.insert(history.messages.size(), make_message("user", text));
  Reply reply{.whole_tokens = whole};
  ChatPrompt prompt = prompt_of(history);
  // A full context loses a quarter at once: the beginning of the prompt then stays the same for some turns, and the
  // cache holds it. Dropping what just does not fit would compute the whole prompt anew in every turn.
  std::size_t most = whole;
  while (prompt.ids.size() + room_for_answer(options, whole) > most && history.drop_oldest_turn()) {
    ++reply.dropped_turns;
    most = whole - whole / 4;
    prompt = prompt_of(history);
  }
  if (prompt.ids.size() >= session_.context()) {
    fail("the message makes a prompt of {} tokens, the context holds {} and the answer needs some", prompt.ids.size(),
         session_.context());
  }
  reply.generated = generate(session_, model_.tokenizer(), prompt.ids, options, callbacks);
  reply.context_tokens = session_.tokens().size();
  if (reply.generated.reason == StopReason::interrupted && reply.generated.text.empty()) return reply;
  history.insert(history.messages.size(), make_message("assistant", reply.generated.text), reply.generated.ids);
  history_ = std::move(history);
  return reply;
}

// A quarter of the whole, or what the answer may take at most.
std::size_t Chat::room_for_answer(const GenerateOptions& options, std::size_t whole) {
  const std::size_t quarter = std::max<std::size_t>(whole / 4, 1);
  const std::size_t most = options.max_tokens.value_or(0);
  return most == 0 ? quarter : std::min(quarter, most);
}

}  // namespace rung
