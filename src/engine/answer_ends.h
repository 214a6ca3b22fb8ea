// Which tokens end an answer. A model's files name one, two, or all of them; the names that such tokens have tell the
// rest.  Milestones M3, M8.
#pragma once

#include <memory>
#include <set>

#include "text/tokenizer.h"

namespace rung {

class ChatPrompter;
class ModelFiles;

// The model's own chat prompter, or null: it has no template, or one that cannot be read.
std::unique_ptr<ChatPrompter> prompter_of(const ModelFiles& files, const Tokenizer& tokenizer);

// What the files name; the tokenizer's eos; the token that ends a turn in the template (`prompter`, where there is
// one); and the added tokens with well-known names.
std::set<TokenId> answer_ends(const ModelFiles& files, const Tokenizer& tokenizer, const ChatPrompter* prompter);

}  // namespace rung
