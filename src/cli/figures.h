// How fast it went: for people on stderr, for programs in JSON.
#pragma once

#include <string>

#include "base/json.h"
#include "engine/generate.h"

namespace rung {

// "prefill 12 tokens, 230.1 tok/s · decode 64 tokens, 41.0 tok/s · end-of-text\n"
std::string figures_line(const Generated& result);
// "prefill": {"tokens", "seconds", "tokens_per_second"}, "decode": the same.
void add_figures(OrderedJson& object, const Generated& result);

}  // namespace rung
