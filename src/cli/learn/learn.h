// `rung learn`: write an engine's operations yourself, one at a time, and see them run inside a model.
#pragma once

#include <memory>

#include "cli/command.h"

namespace rung {

std::unique_ptr<Command> make_learn();

}  // namespace rung
