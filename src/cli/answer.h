// An answer as `rung generate` gives it: its text as it comes, the figures on stderr; or, for programs, a JSON object a
// line: each piece, then all of it.
#pragma once

#include <cstddef>
#include <string_view>

#include "engine/generate.h"

namespace rung {

enum class AnswerForm { text, json };

// What stands before it, where a person reads along: the prompt.
void begin_answer(std::string_view prompt, AnswerForm form);
void give_piece(std::string_view piece, AnswerForm form);
void end_answer(const Generated& answer, std::size_t prompt_tokens, AnswerForm form);

}  // namespace rung
