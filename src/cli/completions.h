// What a shell reads to complete the verbs and their options.
#pragma once

#include <memory>
#include <string>
#include <string_view>
#include <vector>

#include "cli/command.h"

namespace rung {

// The script for "bash", "zsh" or "fish". Throws UsageError: another shell.
std::string completions(std::string_view shell, const std::vector<std::unique_ptr<Command>>& commands);

}  // namespace rung
