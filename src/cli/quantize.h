// `rung quantize`: a model → a GGUF file of fewer bits.  Milestone M5.
#pragma once

#include <memory>

#include "cli/command.h"

namespace rung {

std::unique_ptr<Command> make_quantize();

}  // namespace rung
