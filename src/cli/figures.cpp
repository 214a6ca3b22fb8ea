#include "cli/figures.h"

#include <fmt/format.h>

namespace rung {

namespace {

OrderedJson json_of(const Timing& t) {
  return {{"tokens", t.tokens}, {"seconds", t.seconds}, {"tokens_per_second", t.tokens_per_second()}};
}

}  // namespace

std::string figures_line(const Generated& r) {
  return fmt::format("prefill {} tokens, {:.1f} tok/s · decode {} tokens, {:.1f} tok/s · {}\n", r.prefill.tokens,
                     r.prefill.tokens_per_second(), r.decode.tokens, r.decode.tokens_per_second(), name_of(r.reason));
}

void add_figures(OrderedJson& object, const Generated& r) {
  object["prefill"] = json_of(r.prefill);
  object["decode"] = json_of(r.decode);
}

}  // namespace rung
