// A chat template → the control tokens that a message may not become.  Milestone M8.
#include "text/chat_template.h"

namespace rung {

std::set<TokenId> forbidden_tokens(const Tokenizer& tokenizer, std::string_view template_source) {
  std::set<TokenId> forbidden;
  for (const TokenId id : tokenizer.added_tokens()) {
    const std::string piece = tokenizer.piece(id);
    const bool in_template = !piece.empty() && template_source.find(piece) != std::string_view::npos;
    if (tokenizer.is_special(id) || in_template) forbidden.insert(id);
  }
  return forbidden;
}

}  // namespace rung
