// What both ways to compile a learner's code share (compile.h, compile_kernel.h): programs found, words made readable,
// and what was made kept in the folder, as .built/NAME-KEY.so or its like.
#pragma once

#include <filesystem>
#include <optional>
#include <string>

#include "cli/learn/learner_folder.h"

namespace rung {

std::optional<std::filesystem::path> program_in_path(const std::string& name);

// A compiler's words without the folder: files are then called as the learner does.
std::string without_folder(std::string words, const std::filesystem::path& folder);

// Whether the learner's code is all there is of it: what other files of the folder it includes may be new.
bool stands_alone(const LearnerFolder& folder, const std::string& code);

// Where something called `name` is kept that is made of all this text.
std::filesystem::path built_path(const LearnerFolder& folder, const std::string& name, const std::string& made_of,
                                 const char* ending);

// Keeps it, whole or not at all, instead of what was kept under the same name with another key. Where nothing can be
// kept, it is made again next time.
void keep_built(const std::filesystem::path& made, const std::filesystem::path& kept);

}  // namespace rung
