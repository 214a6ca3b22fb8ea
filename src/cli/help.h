// What --help prints.
#pragma once

#include <memory>
#include <string>
#include <vector>

#include "cli/command.h"

namespace rung {

// Of `rung --help`: the verbs.
std::string overview(const std::vector<std::unique_ptr<Command>>& commands);

// Of `rung VERB --help`: the verb and its options.
std::string help(const Command& command, const Options& options);

}  // namespace rung
