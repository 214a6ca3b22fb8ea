// What --help prints.
#pragma once

#include <memory>
#include <string>
#include <vector>

#include "cli/command.h"

namespace rung {

// Of `rung --help`: the verbs.
std::string overview(const std::vector<std::unique_ptr<Command>>& commands);

// Of `rung VERB --help`: `app` has the verb's options.
std::string help(const Command& command, const CLI::App& app);

}  // namespace rung
