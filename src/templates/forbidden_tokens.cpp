// A chat template → the control tokens that a message may not become.  Milestone M8.
#include <algorithm>
#include <utility>

#include "templates/chat_template.h"

namespace rung {

std::set<TokenId> forbidden_tokens(const Tokenizer& tokenizer, const ChatTemplate& chat) {
  std::set<TokenId> forbidden;
  for (const TokenId id : tokenizer.added_tokens()) {
    const std::string piece = tokenizer.piece(id);
    // Gemma's vocabulary has line breaks as added tokens, and its template has line breaks: those control nothing.
    const bool blank = piece.find_first_not_of(" \t\n\r") == std::string::npos;
    const auto holds = [&](const std::string& literal) { return literal.find(piece) != std::string::npos; };
    const bool in_template = !blank && std::any_of(chat.literals().begin(), chat.literals().end(), holds);
    if (tokenizer.is_special(id) || in_template) forbidden.insert(id);
  }
  return forbidden;
}

Untrusted untrusted_in(const RenderedChat& chat, std::set<TokenId> forbidden) {
  Untrusted untrusted{.typed = chat.typed, .spoken = {}, .forbidden = std::move(forbidden), .known = {}};
  for (const Spoken& spoken : chat.spoken) untrusted.spoken.push_back(spoken.range);
  return untrusted;
}

}  // namespace rung
