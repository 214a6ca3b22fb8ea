#include "cli/figures.h"

#include <fmt/format.h>

namespace rung {

namespace {

OrderedJson json_of(const Timing& t) {
  return {{"tokens", t.tokens}, {"seconds", t.seconds}, {"tokens_per_second", t.tokens_per_second()}};
}

std::string words_of(const Timing& t) {
  return t.tokens == 0 ? "0 tokens" : fmt::format("{} tokens, {:.1f} tok/s", t.tokens, t.tokens_per_second());
}

}  // namespace

std::string figures_line(const Generated& r) {
  return fmt::format("prefill {} · decode {} · {}\n", words_of(r.prefill), words_of(r.decode), name_of(r.reason));
}

void add_figures(OrderedJson& object, const Generated& r) {
  object["prefill"] = json_of(r.prefill);
  object["decode"] = json_of(r.decode);
}

}  // namespace rung
