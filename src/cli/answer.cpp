#include "cli/answer.h"

#include <fmt/format.h>

#include "base/json.h"
#include "cli/figures.h"
#include "cli/terminal.h"

namespace rung {

void begin_answer(std::string_view prompt, AnswerForm form) {
  if (form == AnswerForm::text && stdout_is_terminal()) {
    write_out(fmt::format("{}{}{}", style().dim, prompt, style().reset));
  }
}

void give_piece(std::string_view piece, AnswerForm form) {
  if (form == AnswerForm::text) return write_text(piece);
  OrderedJson line;
  put_text(line, "piece", piece);
  write_line(line);
}

void end_answer(const Generated& answer, std::size_t prompt_tokens, AnswerForm form) {
  if (form == AnswerForm::text) {
    if (answer.text.empty() || answer.text.back() != '\n') write_out("\n");
    return write_error(figures_line(answer));
  }
  OrderedJson line;
  put_text(line, "text", answer.text);
  line["ids"] = answer.ids;
  line["stop"] = name_of(answer.reason);
  line["seed"] = answer.seed;
  line["prompt_tokens"] = prompt_tokens;
  add_figures(line, answer);
  write_line(line);
}

}  // namespace rung
