// A chat template → the control tokens that a message may not become.  Milestone M8.
#include "templates/chat_template.h"

namespace rung {

std::set<TokenId> forbidden_tokens(const Tokenizer& tokenizer, std::string_view template_source) {
  std::set<TokenId> forbidden;
  for (const TokenId id : tokenizer.added_tokens()) {
    const std::string piece = tokenizer.piece(id);
    // Gemma's vocabulary has line breaks as added tokens, and its template has line breaks: those control nothing.
    const bool blank = piece.find_first_not_of(" \t\n\r") == std::string::npos;
    const bool in_template = !blank && template_source.find(piece) != std::string_view::npos;
    if (tokenizer.is_special(id) || in_template) forbidden.insert(id);
  }
  return forbidden;
}

}  // namespace rung
